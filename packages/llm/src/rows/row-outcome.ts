/**
 * What the engine makes of a row's calls and of what its step says.
 */
import { ConfigError } from '@lab/core';
import type { Paid } from '../chat.js';
import type { LlmClient } from '../llm-client.js';
import type { RowCalls } from './row-calls.js';
import type { Prediction, RowFailure, RowStatus, RowTiming } from './row-record.js';

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

/** Tokens and cost as they are kept. */
function paidBy({ usage, costUsd }: Paid): Pick<Prediction, 'costUsd' | 'usage'> {
  const tokens: Prediction['usage'] = {
    prompt: usage.prompt,
    completion: usage.completion,
    cached: usage.cached,
    reasoning: usage.reasoning,
  };
  return {
    usage: usage.isEstimated ? { ...tokens, isEstimated: true } : tokens,
    // Sums of prices come in any order of calls: cut what rounding leaves.
    costUsd: costUsd === null ? null : Number(costUsd.toPrecision(12)),
  };
}

/** What calls did cost that brought nothing. */
export function paidInVain({ inVain }: RowCalls): Pick<RowFailure, 'costUsd' | 'usage'> {
  return inVain === null ? {} : paidBy(inVain);
}

/** How a row ended. */
export interface RowEnd {
  readonly status: RowStatus;
  readonly output: unknown;
  /** Further fields of its prediction, behind `output` where they say what is wrong. */
  readonly problem?: { readonly problem: string; readonly body?: string };
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * The prediction of a row. Fields stand in one order, and those of every row are written out:
 * spreading objects would take longer than all else that is done for a row.
 */
export function predictionOf(id: string, calls: RowCalls, end: RowEnd): Prediction {
  const { hashes } = calls;
  const requestHash = hashes[0] ?? null;
  const { status, output, problem, fields } = end;
  const { usage: used, costUsd: cost } = paidBy(calls);
  const prediction =
    hashes.length > 1 || problem !== undefined
      ? {
          id,
          requestHash,
          ...(hashes.length > 1 ? { requestHashes: hashes } : {}),
          ...{ status, output, ...problem, usage: used, costUsd: cost },
        }
      : { id, requestHash, status, output, usage: used, costUsd: cost };
  return fields === undefined ? prediction : Object.assign(prediction, fields);
}

type Writable<T> = { -readonly [name in keyof T]: T[name] };

const addTokens = (sum: number, { usage }: Paid): number => sum + usage.prompt + usage.completion;

/** How long a row took, and what it took. */
export function timingOf(id: string, calls: RowCalls, milliseconds: number): RowTiming {
  const { attempts, cachedCalls, firstTokenMs, lost } = calls;
  const timing: Writable<RowTiming> = {
    id,
    milliseconds: Math.round(milliseconds),
    attempts,
    cachedCalls,
  };
  if (lost.length > 0) timing.lostTokens = lost.reduce(addTokens, 0);
  if (firstTokenMs !== null) timing.firstTokenMs = firstTokenMs;
  return timing;
}
