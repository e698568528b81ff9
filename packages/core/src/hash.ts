import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { DataError, LabError } from './errors.js';
import { describeFileProblem } from './file-problem.js';

/** A file as named in `run.json`. */
export interface FileRecord {
  readonly path: string;
  /** SHA-256 of the content, lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}

/** SHA-256 of a text (as UTF-8) or of bytes, in lower-case hexadecimal. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data);
}

/**
 * Path, SHA-256 and size of a file, read as a stream.
 *
 * @throws {DataError} when the file cannot be read.
 */
export async function hashFile(path: string): Promise<FileRecord> {
  const digest = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      digest.update(chunk as Uint8Array);
      bytes += (chunk as Uint8Array).length;
    }
  } catch (cause) {
    throw new DataError(describeFileProblem(path, cause), { file: path, cause });
  }
  return { path, sha256: digest.digest('hex'), bytes };
}

/**
 * JSON with sorted keys and no spaces: equal values give equal texts, fit for hashing.
 * Properties that are `undefined` are left out; typed arrays become arrays.
 *
 * @throws {LabError} `LAB_JSON` for NaN, infinities, functions, bigints and cycles.
 */
export function canonicalJson(value: unknown): string {
  return writeCanonical(value, []);
}

function writeCanonical(value: unknown, parents: readonly unknown[]): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return writeNumber(value);
  if (typeof value !== 'object') throw notJson(`a ${typeof value}`);
  if (parents.includes(value)) throw notJson('a cycle');
  const inside = [...parents, value];
  if (Array.isArray(value)) return `[${value.map((item) => writeItem(item, inside)).join(',')}]`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return `[${Array.from(value as Float64Array, writeNumber).join(',')}]`;
  }
  if (hasToJson(value)) return writeCanonical(value.toJSON(), inside);
  const parts = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${writeCanonical(item, inside)}`);
  return `{${parts.join(',')}}`;
}

function writeItem(item: unknown, parents: readonly unknown[]): string {
  return item === undefined ? 'null' : writeCanonical(item, parents);
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw notJson(String(value));
  return JSON.stringify(value);
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function notJson(what: string): LabError {
  return new LabError(`core/hash: ${what} has no JSON form.`, { code: 'LAB_JSON' });
}
