/**
 * What the engine makes of a row's calls and of what its step says.
 */
import { ConfigError } from '@lab/core';
import type { LlmClient } from '../llm-client.js';
import type { RowCalls } from './row-calls.js';
import type { Prediction } from './row-record.js';

const reserved = ['id', 'requestHash', 'status', 'output', 'usage', 'costUsd'];

/** Adds fields to a prediction. @throws {ConfigError} for one that it has anyway. */
export function addFields(
  fields: Record<string, unknown>,
  more: Readonly<Record<string, unknown>>,
): void {
  const taken = reserved.find((name) => name in more);
  if (taken !== undefined) throw new ConfigError(`a row's field may not be called "${taken}".`);
  Object.assign(fields, more);
}

/** Further clients as the row's step sees them. */
export function watchAll(
  calls: RowCalls,
  clients: Readonly<Record<string, LlmClient>> = {},
): Readonly<Record<string, LlmClient>> {
  const entries = Object.entries(clients);
  return Object.fromEntries(entries.map(([name, client]) => [name, calls.watch(client)]));
}

/** What a prediction begins with. */
export function predictionOf(id: string, { hashes }: RowCalls) {
  const several = hashes.length > 1 ? { requestHashes: hashes } : {};
  return { id, requestHash: hashes[0] ?? null, ...several };
}

/** What a row took and cost. */
export function spending({ usage, costUsd }: RowCalls): Pick<Prediction, 'usage' | 'costUsd'> {
  const { isEstimated, ...tokens } = usage;
  // Sums of prices come in any order of calls: cut what rounding leaves.
  const cost = costUsd === null ? null : Number(costUsd.toPrecision(12));
  return { usage: isEstimated ? { ...tokens, isEstimated } : tokens, costUsd: cost };
}
