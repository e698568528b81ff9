/**
 * Records of a long call, line by line, so that a call that was ended goes on where it was.
 */
import { existsSync, renameSync } from 'node:fs';
import { appendJsonLine, canonicalJson, readJsonLines, sha256, writeFileAtomic } from '@lab/core';

/** Records that are there, and where further ones go. */
export interface RecordFile<T> {
  /** Whole ones of a call with the same settings. */
  readonly records: readonly T[];
  append(record: T): void;
}

/**
 * Opens a file of records that were made with the same settings. Its first line is their hash. A
 * file of other settings is put aside, under a name with its own hash, and taken up again when a
 * call has these settings.
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
  const found = takeUp<T>(path, key);
  const records = found === null ? [] : kept(found);
  if (found === null || records.length < found.length) {
    const lines = [{ key }, ...records].map((line) => `${JSON.stringify(line)}\n`);
    writeFileAtomic(path, lines.join(''));
  }
  return { records, append: (record) => appendJsonLine(path, record) };
}

/** Records of the settings, with those of others put aside; null where there are none. */
function takeUp<T extends object>(path: string, key: string): readonly T[] | null {
  const there = contentOf<T>(path);
  if (there?.key === key) return there.rows;
  // What has no record yet is not worth a file.
  if (there !== null && there.rows.length > 0) renameSync(path, asidePath(path, there.key));
  const aside = asidePath(path, key);
  if (contentOf(aside)?.key !== key) return null;
  renameSync(aside, path);
  return contentOf<T>(path)!.rows;
}

function contentOf<T extends object>(path: string) {
  if (!existsSync(path)) return null;
  const [first, ...rows] = readJsonLines(path).rows as [{ readonly key?: unknown }?, ...T[]];
  return { key: typeof first?.key === 'string' ? first.key : 'unknown', rows };
}

/** `graft.jsonl` of other settings is `graft-0a1b2c3d.jsonl`. */
const asidePath = (path: string, key: string): string =>
  path.replace(/\.jsonl$/, `-${key.slice(0, 8)}.jsonl`);
