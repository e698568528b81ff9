/**
 * The lines of a run: what is kept of each row.
 */
import { LabError } from '@lab/core';
import type { UnknownCost } from '../chat.js';
import type { FailureKind } from '../llm-failure.js';
import type { CostRecord } from './cost-record.js';

/** A row of a run. Further fields are its own. */
export interface RunRow {
  readonly id: string;
}

/**
 * How a finished row ended: `ok`, a kind of answer that is none (`refusal`, `parse`, ...), or what
 * the step says, e.g. `length` for an answer that was cut at its most tokens.
 */
export type RowStatus = 'ok' | 'length' | FailureKind | (string & {});

/** One line of `predictions.jsonl`: no times and no attempts, so equal runs have equal bytes. */
export interface Prediction<Output = unknown> extends CostRecord {
  readonly id: string;
  /** Of the row's first request; null where it made none. */
  readonly requestHash: string | null;
  /** Of all its requests, where there are several. */
  readonly requestHashes?: readonly string[];
  readonly status: RowStatus;
  readonly output: Output | null;
  /** What is wrong with the answer, where the status is not `ok`. */
  readonly problem?: string;
  /** The answer that is none, where there was one. */
  readonly body?: string;
}

/** One line of `failures.jsonl`: a row that is asked again when the run goes on. */
export interface RowFailure {
  readonly id: string;
  readonly requestHash: string | null;
  readonly kind: FailureKind;
  readonly httpStatus: number | null;
  readonly message: string;
  readonly body?: string;
}

/**
 * One line of `timings.jsonl`: a row in a process. What predictions and timings say of costs adds
 * up to those of the run.
 */
export interface RowTiming {
  readonly id: string;
  readonly milliseconds: number;
  /** Requests that were sent. */
  readonly attempts: number;
  /** Calls that the cache answered. */
  readonly cachedCalls: number;
  /** Of answers that were of no use, and that no prediction has; absent for none. */
  readonly lost?: readonly CostRecord[];
  /** Of requests that may have been worked on and brought no answer; absent for none. */
  readonly unknown?: UnknownCost;
  readonly firstTokenMs?: number;
}

/** Kinds of failures that say something about the sample and not about the server. */
const sampleKinds: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'content-filter',
  'context-length',
  'parse',
  'refusal',
  'truncated',
]);

/** Whether a row that failed so is finished, with that status. */
export function isSampleFailure(kind: FailureKind): boolean {
  return sampleKinds.has(kind);
}

/**
 * A line of JSON.
 *
 * @throws {LabError} `LAB_JSON` for NaN, infinities and what has no JSON form.
 */
export function recordLine(record: Prediction | RowFailure | RowTiming): string {
  const output = 'output' in record ? record.output : null;
  // Texts are the common case, and looking at each value costs five times the writing.
  const isPlain = output === null || typeof output === 'string';
  return `${JSON.stringify(record, isPlain ? undefined : rejectNonFinite)}\n`;
}

function rejectNonFinite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new LabError(`llm/rows: "${key}" of an output is ${value}, which JSON cannot hold.`, {
    code: 'LAB_JSON',
    help: 'give null where there is no number.',
  });
}

const start = /^\{"id":"((?:[^"\\]|\\.)*)","requestHash":(?:"([^"\\]*)"|null),/;

/** Id and request hash of a line, without reading all of it; undefined where it is none of ours. */
export function recordHead(line: string): { id: string; requestHash: string | null } | undefined {
  const found = start.exec(line);
  if (found === null) return undefined;
  const [, id = '', requestHash = null] = found;
  return { id: id.includes('\\') ? (JSON.parse(`"${id}"`) as string) : id, requestHash };
}
