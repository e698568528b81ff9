/**
 * What the fuzzing knows of a reader.
 */
import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import type { Random } from '@lab/core';

/** Small real files: what is changed. */
export const golden = join(import.meta.dirname, '../golden');

/** How the content of a case comes about: half know the format, half are of bytes. */
export type ChangeKind = 'bytes' | 'structure';

/** A changed file. */
export interface ChangedFile {
  /** Folder of the files that go with it, below the worker's own. */
  readonly base: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A reader with its files and with what must hold where it reads a changed one. */
export interface FuzzedReader {
  /** Writes the files that are changed, as they are. */
  setUp(folder: string): Promise<void>;
  /** A changed file; the same for the same random numbers. */
  change(random: Random, kind: ChangeKind): ChangedFile;
  /**
   * Reads a changed file, and compares what was read with what its bytes say.
   *
   * @throws {LabError} where the reader refuses it.
   * @throws {Error} of another kind for a bug.
   */
  check(folder: string, changed: ChangedFile): Promise<void>;
}

/** Fails a case: what was read is not what stands in the file. */
export function claim(holds: boolean, what: () => string): void {
  if (!holds) throw new Error(`read otherwise than written: ${what()}`);
}

/** The JSON that was read; it must be in UTF-8. */
export function jsonOf(bytes: Uint8Array): Record<string, unknown> {
  claim(isUtf8(bytes), () => 'bytes that are no UTF-8');
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
}
