import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DataError, readJsonLines, readRunRecord, type RunRecord } from '@lab/core';

/** What a report needs of a run: its record, its metrics by step, its samples' scores. */
export interface RunFolder {
  readonly dir: string;
  readonly name: string;
  readonly record: RunRecord;
  /** Numbers of `results`, by path such as `forward.hits@1`. */
  readonly results: Readonly<Record<string, number>>;
  /** Settings as text, by path. */
  readonly settings: Readonly<Record<string, string>>;
  /** Rows of `metrics.jsonl`: numbers by path. */
  readonly metrics: readonly Readonly<Record<string, number>>[];
  /** Score of each sample of `predictions.jsonl` that has one, by id. */
  readonly scores: ReadonlyMap<string, number>;
  /** What is odd about the folder, as sentences. */
  readonly remarks: readonly string[];
}

/**
 * The content of a run folder; missing metrics and predictions are empty.
 *
 * @throws {DataError} when there is no readable `run.json`, or a line in the middle is broken.
 */
export function readRunFolder(dir: string): RunFolder {
  if (!existsSync(join(dir, 'run.json'))) {
    throw new DataError(`report: ${dir} is no run folder: it has no run.json.`, {
      file: join(dir, 'run.json'),
      help: 'Pass folders that a command with --out has written, such as runs/2026-...',
    });
  }
  const record = readRunRecord(dir);
  const metrics = readJsonLines(join(dir, 'metrics.jsonl'));
  const predictions = readJsonLines(join(dir, 'predictions.jsonl'));
  const remarks = [
    ...(record.status === 'success' ? [] : [`${basename(resolve(dir))}: status ${record.status}.`]),
    ...(metrics.torn ? [`${basename(resolve(dir))}: the last line of its metrics is torn.`] : []),
  ];
  return {
    dir: resolve(dir),
    name: basename(resolve(dir)),
    record,
    results: numbersOf(record.results ?? {}),
    settings: textsOf(record.config.resolved),
    metrics: metrics.rows.map((row) => numbersOf(row)),
    scores: scoresOf(predictions.rows),
    remarks,
  };
}

function scoresOf(rows: readonly unknown[]): Map<string, number> {
  const scores = new Map<string, number>();
  for (const row of rows) {
    if (typeof row !== 'object' || row === null) continue;
    const { id, score } = row as { id?: unknown; score?: unknown };
    if (id !== undefined && typeof score === 'number') scores.set(String(id), score);
  }
  return scores;
}

/** The numbers within plain data by dotted path; lists are left out. */
export function numbersOf(value: unknown): Record<string, number> {
  const found: Record<string, number> = {};
  walk(value, '', (path, leaf) => {
    if (typeof leaf === 'number' && Number.isFinite(leaf)) found[path] = leaf;
  });
  return found;
}

/** The leaves of plain data as text by dotted path; a list is one leaf. */
export function textsOf(value: unknown): Record<string, string> {
  const found: Record<string, string> = {};
  walk(value, '', (path, leaf) => {
    found[path] = typeof leaf === 'string' ? leaf : (JSON.stringify(leaf) ?? 'not set');
  });
  return found;
}

function walk(value: unknown, path: string, visit: (path: string, leaf: unknown) => void): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    visit(path, value);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    walk(inner, path === '' ? key : `${path}.${key}`, visit);
  }
}
