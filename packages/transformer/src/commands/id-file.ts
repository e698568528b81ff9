/**
 * Token ids from a JSON file.
 */
import { readFileSync } from 'node:fs';
import { DataError, formatCounted } from '@lab/core';
import type { IdRows } from '../token-batch.js';

/** What a file of ids holds. */
export interface IdFile {
  readonly ids: IdRows;
  readonly mask?: IdRows;
  /** Of the decoder of a model that has an encoder, too. */
  readonly decoderIds?: IdRows;
}

const FORM = '{ "ids": [[1, 2]], "mask": [[1, 1]], "decoderIds": [[0, 5]] }, ids alone at least';
const FIELDS = ['ids', 'mask', 'decoderIds'] as const;

/** The error of a file, as a sentence about it. */
type Fail = (what: string, cause?: unknown) => DataError;

/**
 * Reads `{ "ids": [[...]], "mask": [[...]], "decoderIds": [[...]] }`.
 *
 * @throws {DataError} where the file is something else.
 */
export function readIdFile(path: string): IdFile {
  const fail: Fail = (what, cause) =>
    new DataError(`${path}: ${what}.`, { file: path, cause, help: `Write ${FORM}.` });
  const fields = readFields(path, fail);
  const unknown = Object.keys(fields).filter((name) => !FIELDS.some((field) => field === name));
  if (unknown.length > 0) throw fail(`has ${unknown.join(', ')}, which is not known`);
  const [ids, mask, decoderIds] = FIELDS.map((name) => rowsOf(name, fields[name], fail));
  if (ids === undefined) throw fail('has no ids');
  assertEven(path, 'ids', ids);
  if (mask !== undefined) assertEven(path, 'mask', mask, ids);
  if (decoderIds !== undefined) assertEven(path, 'decoderIds', decoderIds);
  if (decoderIds !== undefined) assertAsMany(path, 'decoderIds', decoderIds, ids);
  return { ids, ...(mask && { mask }), ...(decoderIds && { decoderIds }) };
}

function readFields(path: string, fail: Fail): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw fail(unreadable(cause as NodeJS.ErrnoException), cause);
  }
  if (text.trim() === '') throw fail('is empty');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail(`is not JSON (${(cause as Error).message})`, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw fail('is not an object with ids');
}

function unreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file';
  return code === 'EISDIR' ? 'is a folder, not a file' : `cannot be read (${message})`;
}

function rowsOf(name: string, given: unknown, fail: Fail): IdRows | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || !given.every((row) => Array.isArray(row))) {
    throw fail(`${name} is not a list of lists of whole numbers`);
  }
  if (given.length === 0) throw fail(`${name} is a list of no texts`);
  for (const [row, values] of given.entries()) {
    if (values.length === 0) throw fail(`${name} has no tokens in row ${row}`);
    const at = values.findIndex((one: unknown) => !Number.isInteger(one));
    if (at < 0) continue;
    const value = JSON.stringify(values[at]);
    throw fail(`${name} has ${value} in row ${row} at ${at}, no whole number`);
  }
  return given as number[][];
}

/** Refuses rows of several lengths, or other ones than those of ids. */
function assertEven(path: string, name: string, rows: IdRows, ids?: IdRows): void {
  if (ids !== undefined) assertAsMany(path, name, rows, ids);
  const length = (ids ?? rows)[0]!.length;
  const row = rows.findIndex((one) => one.length !== length);
  if (row < 0) return;
  const found = formatCounted(rows[row]!.length, 'number');
  const whose = ids === undefined ? 'row 0 has' : 'ids have';
  throw new DataError(`${path}: ${name} has ${found} in row ${row}, ${whose} ${length}.`, {
    file: path,
    help: 'Fill shorter texts up on the left, and give a mask with 0 there.',
  });
}

function assertAsMany(path: string, name: string, rows: IdRows, ids: IdRows): void {
  if (rows.length === ids.length) return;
  const [found, needed] = [formatCounted(rows.length, 'row'), formatCounted(ids.length, 'row')];
  throw new DataError(`${path}: ${name} has ${found}, ids have ${needed}.`, {
    file: path,
    help: `Give one row of ${name} for each text.`,
  });
}

/**
 * As {@link readIdFile}, for a model that has no encoder.
 *
 * @throws {DataError} where there are decoderIds.
 */
export function readDecoderIds(path: string): Omit<IdFile, 'decoderIds'> {
  const { decoderIds, ...texts } = readIdFile(path);
  if (decoderIds === undefined) return texts;
  throw new DataError(`${path}: has decoderIds, this model has no encoder.`, {
    file: path,
    help: 'Leave decoderIds out.',
  });
}
