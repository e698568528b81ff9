/**
 * The lines of a run's files, one after the other: of a large run only one is in memory.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, eachLine } from '@lab/core';
import type { Prediction, RowFailure, RowTiming } from '../rows/row-record.js';

/** Growing files of a run and what their lines hold. */
export interface RunRecords {
  readonly predictions: Prediction;
  readonly failures: RowFailure;
  readonly timings: RowTiming;
}

/**
 * Visits the lines of all files of a kind: of a run in shards there are several.
 *
 * @param onTorn - takes the path of a file whose last line is not whole, as a process that is at
 *   work or was killed leaves it. Default: throw.
 * @throws {DataError} for a line that is none of a run.
 */
export async function eachRecord<Stem extends keyof RunRecords>(
  dir: string,
  stem: Stem,
  visit: (record: RunRecords[Stem]) => void,
  onTorn?: (path: string) => void,
): Promise<void> {
  const pattern = new RegExp(`^${stem}(\\.\\d+-of-\\d+)?\\.jsonl$`, 'u');
  for (const name of existsSync(dir) ? readdirSync(dir).sort() : []) {
    if (!pattern.test(name)) continue;
    const path = join(dir, name);
    const broken: { line?: DataError } = {};
    await eachLine(path, (text, line) => {
      if (broken.line !== undefined) throw broken.line;
      if (text.trim() === '') return;
      const record = parseRecord(text);
      if (record === null) broken.line = noRecord(path, line, text);
      else visit(record as RunRecords[Stem]);
    });
    if (broken.line === undefined) continue;
    if (onTorn === undefined) throw broken.line;
    onTorn(path);
  }
}

function parseRecord(text: string): unknown {
  try {
    const value = JSON.parse(text) as { readonly id?: unknown } | null;
    return typeof value?.id === 'string' ? value : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

function noRecord(file: string, line: number, text: string): DataError {
  return new DataError(`${file} line ${line}: not a line of a run.`, {
    file,
    line,
    text,
    help: 'the run may still be going on, or was killed: resume it first.',
  });
}
