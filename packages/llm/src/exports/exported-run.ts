/**
 * A finished run as exports see it: what was asked, what came back, and what it cost.
 */
import { readRunRecord, type RunRecord } from '@lab/core';
import type { ChatMessage } from '../chat.js';
import type { FileRow } from '../rows/row-file.js';
import type { Prediction, RowFailure, RowTiming } from '../rows/row-record.js';
import { eachRecord } from './run-records.js';

/** Tokens of a row or of a run. */
export interface ExportedUsage {
  readonly prompt: number;
  readonly completion: number;
  readonly cached: number;
  readonly reasoning: number;
  /** Whether some of it is estimated, as the server counted nothing. */
  readonly isEstimated?: boolean;
}

/** A row of a run, finished or failed. */
export interface ExportedRow {
  readonly id: string;
  /** How it ended; of a row that failed, the kind of failure. */
  readonly status: string;
  /** Whether it failed for reasons of the server, and will be asked again. */
  readonly isFailed: boolean;
  readonly output: unknown;
  /** The output as text; JSON where it is none. Empty where there is no output. */
  readonly text: string;
  /** What is wrong with the answer, or why there is none. */
  readonly problem: string | null;
  /** Fields of the input; empty where it was not given. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What was asked; null where the input was not given. */
  readonly messages: readonly ChatMessage[] | null;
  readonly target: string | null;
  readonly score: number | null;
  /** Whether it is `ok` and its score, if it has one, is high enough. */
  readonly isPass: boolean;
  readonly usage: ExportedUsage;
  readonly costUsd: number | null;
  readonly milliseconds: number | null;
  readonly attempts: number | null;
  readonly requestHash: string | null;
}

/** A run with its rows. */
export interface ExportedRun {
  readonly record: RunRecord;
  /** As it was asked for; empty where the run names none. */
  readonly model: string;
  readonly servedModel: string | null;
  readonly rows: readonly ExportedRow[];
  /** Name of what {@link ExportedRow.score} is. */
  readonly scoreName: string | null;
}

/** Settings of {@link readExportedRun}. */
export interface ReadRunOptions {
  /** The input of the run, for prompts, targets and further columns. */
  readonly rows?: Iterable<FileRow> | AsyncIterable<FileRow> | undefined;
  /** What a row was asked. */
  readonly messagesOf?: ((row: FileRow) => readonly ChatMessage[]) | undefined;
  /** Field of the input with the right answer. */
  readonly targetField?: string | undefined;
  /** Field of the prediction or of its output with a number, or true and false. */
  readonly scoreField?: string | undefined;
  /** Score from which a row passes; default 0.5. */
  readonly passFrom?: number | undefined;
}

/**
 * The rows of a run's folder in the order of its predictions, and after them those that failed.
 *
 * @throws {DataError} when the folder holds no run, or a line of it is none.
 */
export async function readExportedRun(
  dir: string,
  options: ReadRunOptions = {},
): Promise<ExportedRun> {
  const record = readRunRecord(dir);
  const inputs = await inputsOf(options);
  const timings = new Map<string, RowTiming>();
  await eachRecord(dir, 'timings', (timing) => timings.set(timing.id, timing));
  const rows: ExportedRow[] = [];
  const finished = new Set<string>();
  const make = (part: Prediction | RowFailure): ExportedRow =>
    exportedRow(part, { input: inputs.get(part.id), timing: timings.get(part.id), options });
  await eachRecord(dir, 'predictions', (prediction) => {
    if (finished.has(prediction.id)) return;
    finished.add(prediction.id);
    rows.push(make(prediction));
  });
  const failures = new Map<string, RowFailure>();
  await eachRecord(dir, 'failures', (failure) => {
    if (!finished.has(failure.id)) failures.set(failure.id, failure);
  });
  for (const failure of failures.values()) rows.push(make(failure));
  const config = record.config.resolved as Readonly<Record<string, unknown>> | null;
  const servedModel = record.results?.['servedModel'];
  return {
    record,
    model: textOf(config?.['model']) ?? '',
    servedModel: textOf(servedModel) ?? null,
    rows,
    scoreName: options.scoreField ?? null,
  };
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

async function inputsOf({ rows }: ReadRunOptions): Promise<Map<string, FileRow>> {
  const found = new Map<string, FileRow>();
  if (rows !== undefined) for await (const row of rows) found.set(row.id, row);
  return found;
}

interface RowParts {
  readonly input: FileRow | undefined;
  readonly timing: RowTiming | undefined;
  readonly options: ReadRunOptions;
}

const noUsage: ExportedUsage = { prompt: 0, completion: 0, cached: 0, reasoning: 0 };

function exportedRow(
  part: Prediction | RowFailure,
  { input, timing, options }: RowParts,
): ExportedRow {
  const isFailed = !('status' in part);
  const output = isFailed ? null : part.output;
  const status = isFailed ? part.kind : part.status;
  const score = isFailed ? null : scoreOf(part, options.scoreField);
  const target = options.targetField === undefined ? null : input?.[options.targetField];
  return {
    ...{ id: part.id, status, isFailed, output, score },
    text: asText(output),
    problem: (isFailed ? part.message : part.problem) ?? null,
    fields: input ?? {},
    messages: input === undefined ? null : (options.messagesOf?.(input) ?? null),
    target: target === null || target === undefined ? null : asText(target),
    isPass: status === 'ok' && (score === null || score >= (options.passFrom ?? 0.5)),
    usage: isFailed ? noUsage : part.usage,
    costUsd: isFailed ? null : part.costUsd,
    milliseconds: timing?.milliseconds ?? null,
    attempts: timing?.attempts ?? null,
    requestHash: part.requestHash,
  };
}

/** A value as one text. */
export function asText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function scoreOf(prediction: Prediction, field: string | undefined): number | null {
  if (field === undefined) return null;
  const own = valueAt(prediction, field) ?? valueAt(prediction.output, field);
  if (typeof own === 'boolean') return own ? 1 : 0;
  if (typeof own === 'number') return own;
  const number = typeof own === 'string' && own.trim() !== '' ? Number(own) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

function valueAt(value: unknown, path: string): unknown {
  let at: unknown = value;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

/** Tokens of all rows. */
export function totalUsage(rows: readonly ExportedRow[]): ExportedUsage {
  const sum = { ...noUsage };
  for (const { usage } of rows) {
    sum.prompt += usage.prompt;
    sum.completion += usage.completion;
    sum.cached += usage.cached;
    sum.reasoning += usage.reasoning;
  }
  return sum;
}

/** What all rows cost; null where of some no price is known. */
export function totalCost(rows: readonly ExportedRow[]): number | null {
  let sum = 0;
  for (const { costUsd, isFailed } of rows) {
    if (costUsd === null && !isFailed) return null;
    sum += costUsd ?? 0;
  }
  return sum;
}
