/**
 * Pairs from a file or folder of any known form.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError, type OnDefect } from '@lab/core';
import { type Dedupe, type Sample, withUniqueIds } from '../sample.js';
import { readFaireval } from './faireval.js';
import { beginsList, firstText } from './first-text.js';
import { readLlmbar } from './llmbar.js';
import { readLlmeval2 } from './llmeval2.js';
import { type OwnPairsOptions, readOwnPairs } from './own-pairs.js';
import { readPandalm } from './pandalm.js';

/** The forms of files that are read. */
export const dataFormats = ['faireval', 'llmbar', 'llmeval2', 'pairs', 'pandalm'] as const;

/** A form of files. */
export type DataFormat = (typeof dataFormats)[number];

/** Where pairs are, and how they are read. */
export interface SampleSource extends OwnPairsOptions {
  /** File or folder. */
  readonly data: string;
  /** Default: told by the content. */
  readonly format?: DataFormat | undefined;
  /** Of FairEval: which systems are compared. */
  readonly systems?: readonly string[] | undefined;
  readonly dedupe?: Dedupe | undefined;
  readonly onDefect?: OnDefect | undefined;
}

/**
 * The pairs of a file or folder, each id once.
 *
 * @throws {DataError} for what is missing or wrong, with file and line, and for no pairs at all.
 */
export async function readSamples(source: SampleSource): Promise<readonly Sample[]> {
  const { data, onDefect, dedupe = 'error' } = source;
  const format = source.format ?? (await formatOf(data));
  const samples = await readFormat(format, source);
  if (samples.length === 0 && onDefect === undefined) {
    throw new DataError(`${data}: the file has no pairs.`, {
      file: data,
      help: 'give two answers in each row; "widedeep-eval check --data FILE" lists all defects.',
    });
  }
  return withUniqueIds(samples, dedupe);
}

function readFormat(format: DataFormat, source: SampleSource): Promise<readonly Sample[]> {
  const { data, onDefect, systems } = source;
  switch (format) {
    case 'faireval':
      return readFaireval(data, { systems, onDefect });
    case 'llmbar':
      return readLlmbar(data, onDefect);
    case 'llmeval2':
      return readLlmeval2(data, onDefect);
    case 'pandalm':
      return readPandalm(data, onDefect);
    case 'pairs':
      return readOwnPairs(data, source);
  }
}

/**
 * The form of a file or folder, by its first bytes.
 *
 * @throws {DataError} when there is none.
 */
export async function formatOf(path: string): Promise<DataFormat> {
  if (!existsSync(path)) {
    throw new DataError(`${path}: no such file.`, {
      file: path,
      help: 'check the path of --data.',
    });
  }
  if (statSync(path).isDirectory()) {
    return existsSync(join(path, 'question.jsonl')) ? 'faireval' : 'llmbar';
  }
  if (/\.[ct]sv(\.gz)?$/i.test(path)) return 'pairs';
  const start = await firstText(path);
  if (beginsList(start)) {
    if (start.includes('"output_1"')) return 'llmbar';
    return start.includes('"annotator1"') ? 'pandalm' : 'pairs';
  }
  const isBenchmark = ['"query"', '"response1"', '"human"', '"dataset"'].every((field) =>
    start.includes(field),
  );
  return isBenchmark ? 'llmeval2' : 'pairs';
}

/** The form that a text names. @throws {ConfigError} when it is none. */
export function parseFormat(text: string): DataFormat {
  const format = dataFormats.find((name) => name === text);
  if (format !== undefined) return format;
  throw new ConfigError(`--format ${JSON.stringify(text)} is none of ${dataFormats.join(', ')}.`, {
    help: 'leave it out to have it found.',
  });
}
