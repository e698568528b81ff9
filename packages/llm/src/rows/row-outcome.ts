/**
 * What the engine makes of a row's calls and of what its step says.
 */
import { ConfigError } from '@lab/core';
import type { LlmClient } from '../llm-client.js';
import { costRecord } from './cost-record.js';
import type { RowCalls } from './row-calls.js';
import type { Prediction, RowStatus, RowTiming } from './row-record.js';

const reserved = ['id', 'requestHash', 'status', 'output', 'usage', 'costUsd', 'estimated'];

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
  const cost = costRecord(calls);
  const { usage, costUsd } = cost;
  const prediction =
    hashes.length > 1 || problem !== undefined || cost.estimated !== undefined
      ? {
          id,
          requestHash,
          ...(hashes.length > 1 ? { requestHashes: hashes } : {}),
          ...{ status, output, ...problem, ...cost },
        }
      : { id, requestHash, status, output, usage, costUsd };
  return fields === undefined ? prediction : Object.assign(prediction, fields);
}

type Writable<T> = { -readonly [name in keyof T]: T[name] };

/**
 * How long a row took, and what it took.
 *
 * @param isFailed - whether it has no prediction: then refusals within it are lost as well.
 */
export function timingOf(
  id: string,
  calls: RowCalls,
  { milliseconds, isFailed }: { readonly milliseconds: number; readonly isFailed: boolean },
): RowTiming {
  const { attempts, cachedCalls, firstTokenMs, unknown } = calls;
  const lost = isFailed ? [...calls.lost, ...calls.inVain] : calls.lost;
  const timing: Writable<RowTiming> = {
    id,
    milliseconds: Math.round(milliseconds),
    attempts,
    cachedCalls,
  };
  if (lost.length > 0) timing.lost = lost.map((paid) => costRecord({ ...paid, estimated: null }));
  if (unknown !== null) timing.unknown = unknown;
  if (firstTokenMs !== null) timing.firstTokenMs = firstTokenMs;
  return timing;
}
