import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DataError, readJsonLines, readRunRecord, type RunRecord, sha256 } from '@lab/core';

/** What a report needs of a run: its record, its metrics by step, its samples' scores. */
export interface RunFolder {
  readonly dir: string;
  readonly name: string;
  readonly record: RunRecord;
  /** Numbers of `results`, by path such as `forward.hits@1`. */
  readonly results: Readonly<Record<string, number>>;
  /** Settings as text, by path. */
  readonly settings: Readonly<Record<string, string>>;
  /** Rows of `metrics.jsonl`: numbers by path, means over lists of objects such as batches. */
  readonly metrics: readonly Readonly<Record<string, number>>[];
  /** How good each sample of `predictions.jsonl` is. */
  readonly samples: SampleScores;
  /** What is odd about the folder, as sentences. */
  readonly remarks: readonly string[];
}

/** A number per sample, and what it is. */
export interface SampleScores {
  /** A sample whose `rank` is null was not found among the candidates: its reciprocal rank is 0. */
  readonly kind: 'reciprocal rank' | 'share right' | 'score';
  /** By sample id; empty when there are no predictions. */
  readonly byId: ReadonlyMap<string, number>;
  /** Digest of ids and gold answers: runs with the same key were asked the same; empty for none. */
  readonly key: string;
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
    metrics: metrics.rows.map((row) => numbersOf(row, { hasMeans: true })),
    samples: samplesOf(predictions.rows),
    remarks,
  };
}

/** Ranks where there are any, else right or wrong against the gold answer, else scores. */
function samplesOf(rows: readonly unknown[]): SampleScores {
  const known = rows.filter(
    (row): row is Record<string, unknown> => typeof row === 'object' && row !== null,
  );
  const key = samplesKey(known);
  const read = (kind: SampleScores['kind'], value: (row: Record<string, unknown>) => unknown) => {
    const byId = new Map<string, number>();
    for (const row of known) {
      const number = value(row);
      if (row.id !== undefined && typeof number === 'number') byId.set(String(row.id), number);
    }
    return { kind, byId, key };
  };
  if (known.some(({ rank }) => isRank(rank))) {
    return read('reciprocal rank', ({ rank }) =>
      isRank(rank) ? 1 / rank : rank === null ? 0 : undefined,
    );
  }
  const byGold = read('share right', ({ gold, predicted }) =>
    gold === undefined || gold === null ? undefined : Number(gold === predicted),
  );
  return byGold.byId.size > 0 ? byGold : read('score', ({ score }) => score);
}

const isRank = (rank: unknown): rank is number => typeof rank === 'number' && rank >= 1;

/** What was asked, and what would have been right, whatever the order. */
function samplesKey(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const asked = rows.filter(({ id }) => id !== undefined);
  if (asked.length === 0) return '';
  return sha256(
    asked
      .map(({ id, gold }) => JSON.stringify([String(id), gold]))
      .sort()
      .join('\n'),
  );
}

/**
 * The numbers within plain data by dotted path.
 *
 * Lists are left out; with `hasMeans` a list of objects counts as the mean of each number in it.
 */
export function numbersOf(
  value: unknown,
  { hasMeans = false }: { hasMeans?: boolean } = {},
): Record<string, number> {
  const found: Record<string, number> = {};
  walk(value, '', (path, leaf) => {
    if (typeof leaf === 'number' && Number.isFinite(leaf)) found[path] = leaf;
    if (hasMeans && Array.isArray(leaf)) Object.assign(found, meansOf(leaf, path));
  });
  return found;
}

function meansOf(list: readonly unknown[], path: string): Record<string, number> {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const item of list) {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) continue;
    for (const [key, value] of Object.entries(numbersOf(item, { hasMeans: true }))) {
      const { sum, count } = sums.get(key) ?? { sum: 0, count: 0 };
      sums.set(key, { sum: sum + value, count: count + 1 });
    }
  }
  return Object.fromEntries(
    [...sums].map(([key, { sum, count }]) => [`${path}.${key}`, sum / count]),
  );
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
