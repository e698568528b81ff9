/**
 * Cases of the fuzzing: what a reader and a number make, and how it ends.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, LabError } from '@lab/core';
import { configReader } from './config-reader.js';
import type { ChangedFile, ChangeKind, FuzzedReader } from './fuzzed-reader.js';
import { ggufReader } from './gguf-reader.js';
import { indexReader } from './index-reader.js';
import { safetensorsReader } from './safetensors-reader.js';
import { tokenizerReader } from './tokenizer-reader.js';

const readers = {
  safetensors: safetensorsReader,
  config: configReader,
  index: indexReader,
  tokenizer: tokenizerReader,
  gguf: ggufReader,
} satisfies Record<string, FuzzedReader>;

/** A reader that is fuzzed. */
export type ReaderName = keyof typeof readers;

/** All readers. */
export const readerNames = Object.keys(readers) as ReaderName[];

/** One case: a reader, and the number that all of its changes follow from. */
export interface FuzzCase {
  readonly reader: ReaderName;
  readonly seed: number;
}

/** How a case ends: read as it stands, refused by an error of ours, or a bug. */
export interface CaseOutcome {
  readonly kind: 'failed' | 'read' | 'refused';
  /** The error, where it failed. */
  readonly message?: string;
}

/** Even numbers change the structure, odd ones bytes. */
const kindOf = (seed: number): ChangeKind => (seed % 2 === 0 ? 'structure' : 'bytes');

/** Writes the unchanged files of all readers below a folder. */
export async function setUpReaders(folder: string): Promise<void> {
  for (const name of readerNames) await readers[name].setUp(join(folder, name));
}

/** The file of a case; readers must have been set up in this process. */
export function changedFile({ reader, seed }: FuzzCase): ChangedFile {
  return readers[reader].change(createRandom(`${reader}/${seed}`), kindOf(seed));
}

/** Writes the changed file of a case and reads it. */
export async function runCase(folder: string, one: FuzzCase): Promise<CaseOutcome> {
  const changed = changedFile(one);
  const own = join(folder, one.reader, changed.base);
  writeFileSync(join(own, changed.name), changed.bytes);
  try {
    await readers[one.reader].check(own, changed);
    return { kind: 'read' };
  } catch (error) {
    if (!LabError.is(error)) return { kind: 'failed', message: shown(error) };
    if (!error.message.includes(own)) {
      return { kind: 'failed', message: `names no file: ${error.message}` };
    }
    return (error.help ?? '') === ''
      ? { kind: 'failed', message: `gives no help: ${error.message}` }
      : { kind: 'refused' };
  }
}

const shown = (error: unknown) =>
  error instanceof Error ? `${error.name}: ${error.stack?.slice(0, 900)}` : String(error);
