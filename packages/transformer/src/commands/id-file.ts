/**
 * Token ids from a JSON file.
 */
import { readFileSync } from 'node:fs';
import { DataError } from '@lab/core';
import type { IdRows } from '../token-batch.js';

/** What a file of ids holds. */
export interface IdFile {
  readonly ids: IdRows;
  readonly mask?: IdRows;
  /** Of the decoder of a model that has an encoder, too. */
  readonly decoderIds?: IdRows;
}

const FORM = '{ "ids": [[1, 2]], "mask": [[1, 1]], "decoderIds": [[0, 5]] }, ids alone at least';

/**
 * Reads `{ "ids": [[...]], "mask": [[...]], "decoderIds": [[...]] }`.
 *
 * @throws {DataError} where the file is something else.
 */
export function readIdFile(path: string): IdFile {
  const fail = (what: string, cause?: unknown) =>
    new DataError(`${path}: ${what}.`, { file: path, cause, help: `Write ${FORM}.` });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const isAbsent = (cause as { code?: string }).code === 'ENOENT';
    throw fail(isAbsent ? 'there is no such file' : 'is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail('is not an object with ids');
  }
  const fields = value as Record<string, unknown>;
  const unknown = Object.keys(fields).filter(
    (name) => !['ids', 'mask', 'decoderIds'].includes(name),
  );
  if (unknown.length > 0) throw fail(`has ${unknown.join(', ')}, which is not known`);
  const rows = (name: string): IdRows | undefined => {
    const given = fields[name];
    if (given === undefined) return undefined;
    const isRows =
      Array.isArray(given) &&
      given.length > 0 &&
      given.every((row) => Array.isArray(row) && row.every((id) => Number.isInteger(id)));
    if (!isRows) throw fail(`${name} is not a list of lists of whole numbers`);
    return given as number[][];
  };
  const [ids, mask, decoderIds] = [rows('ids'), rows('mask'), rows('decoderIds')];
  if (ids === undefined) throw fail('has no ids');
  const empty = [ids, decoderIds ?? []].flat().some((row) => row.length === 0);
  if (empty) throw fail('has a text without tokens');
  const even = (name: string, all: IdRows, length: number) => {
    const row = all.findIndex((one) => one.length !== length);
    if (row < 0 && all.length === ids.length) return;
    const what = row < 0 ? `${all.length} rows` : `${all[row]!.length} in row ${row}`;
    throw new DataError(`${path}: ${name} has ${what}, not ${ids.length} rows of ${length}.`, {
      file: path,
      help: 'Fill shorter texts up on the left, and give a mask with 0 there.',
    });
  };
  even('ids', ids, ids[0]!.length);
  if (mask !== undefined) even('mask', mask, ids[0]!.length);
  if (decoderIds !== undefined) even('decoderIds', decoderIds, decoderIds[0]!.length);
  return { ids, ...(mask && { mask }), ...(decoderIds && { decoderIds }) };
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
