/**
 * Records of a long call, line by line, so that a call that was ended goes on where it was.
 */
import { appendJsonLine, canonicalJson, readJsonLines, sha256, writeFileAtomic } from '@lab/core';

/** Records that are there, and where further ones go. */
export interface RecordFile<T> {
  /** Whole ones of a call with the same settings. */
  readonly records: readonly T[];
  append(record: T): void;
}

/**
 * Opens a file of records that were made with the same settings. Its first line is their hash; a
 * file of other settings begins anew.
 *
 * @param settings - all that records depend on.
 * @param kept - records that are kept of those there, such as units that are whole; default all.
 */
export function openRecordFile<T extends object>(
  path: string,
  settings: unknown,
  kept: (records: readonly T[]) => readonly T[] = (records) => records,
): RecordFile<T> {
  const key = sha256(canonicalJson(settings));
  const [first, ...rows] = readJsonLines(path).rows as [{ readonly key?: string }?, ...T[]];
  const isSame = first?.key === key;
  const records = isSame ? kept(rows) : [];
  if (!isSame || records.length < rows.length) {
    const lines = [{ key }, ...records].map((line) => `${JSON.stringify(line)}\n`);
    writeFileAtomic(path, lines.join(''));
  }
  return { records, append: (record) => appendJsonLine(path, record) };
}
