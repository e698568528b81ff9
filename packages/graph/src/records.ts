import { DataError, eachLine, type OnDefect } from '@lab/core';

/** A place in a text file, for the errors of a reader. */
export interface RecordPlace {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** 1-based position of the field that is wrong. */
  readonly column?: number;
  readonly field?: string;
}

/**
 * A data error that says where (file, line), what is wrong and what to do.
 *
 * @param place - file, line and text of the record.
 * @param what - what is wrong, with numbers.
 * @param help - what the user should do.
 */
export function recordDefect(place: RecordPlace, what: string, help: string): DataError {
  return new DataError(`${place.file} line ${place.line}: ${what}.`, { ...place, help });
}

/**
 * Resolves when every record of the file was given to `onRecord`; blank lines at the end are
 * passed over, a blank line before the last record is a defect.
 *
 * @param path - plain or gzipped text file.
 * @param onDefect - receives every defect.
 * @param onRecord - text of the record without line end, and its line number from 1.
 */
export async function eachRecord(
  path: string,
  onDefect: OnDefect,
  onRecord: (text: string, line: number) => void,
): Promise<void> {
  let blankLine = 0;
  const onLine = (text: string, line: number): void => {
    if (text === '') {
      blankLine = blankLine === 0 ? line : blankLine;
      return;
    }
    if (blankLine !== 0) {
      const place = { file: path, line: blankLine, text: '' };
      onDefect(recordDefect(place, 'the line is empty', 'Remove empty lines between records.'));
      blankLine = 0;
    }
    onRecord(text, line);
  };
  await reportDefects(onDefect, () => eachLine(path, onLine, { onDefect }));
}

/**
 * Resolves to the value of `body`, or to undefined when it ended with a data error, which then
 * went to `onDefect`: a damaged file does not hide the defects of the others.
 */
export async function reportDefects<T>(
  onDefect: OnDefect,
  body: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    onDefect(error);
    return undefined;
  }
}

/**
 * The non-negative integer that fills `text` from `start` to `end`, or -1 when the characters
 * are anything else or exceed 2,147,483,647.
 */
export function parseId(text: string, start: number, end: number): number {
  if (end <= start || end - start > 10) return -1;
  let value = 0;
  for (let i = start; i < end; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value > 0x7fffffff ? -1 : value;
}

/** The dense index of an id, -1 when unknown. */
export type IdLookup = (id: number) => number;

/**
 * A function from id to position in `ids`: a table when the ids are dense enough, else a map.
 * The first of two equal ids wins.
 */
export function createIdLookup(ids: Int32Array): IdLookup {
  let largest = -1;
  for (const id of ids) largest = Math.max(largest, id);
  if (largest > 8 * ids.length + 1024) {
    const map = new Map<number, number>();
    for (let i = ids.length - 1; i >= 0; i -= 1) map.set(ids[i] as number, i);
    return (id) => map.get(id) ?? -1;
  }
  const table = new Int32Array(largest + 1).fill(-1);
  for (let i = ids.length - 1; i >= 0; i -= 1) table[ids[i] as number] = i;
  return (id) => (id >= 0 && id <= largest ? (table[id] as number) : -1);
}
