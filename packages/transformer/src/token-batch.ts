/**
 * Token ids as a batch, checked.
 */
import { DataError, ShapeError } from '@lab/core';
import type { PassPlace } from './hooks.js';
import type { TokenBatch } from './positions.js';

/** Ids of texts, one row each, all of one length. */
export type IdRows = readonly ArrayLike<number>[];

/** What {@link tokenBatch} reads. */
export interface TokenInput {
  readonly ids: IdRows;
  /** 1 for a token, 0 for padding on either side; default all 1. */
  readonly mask?: IdRows | undefined;
}

/**
 * A batch of token ids. Positions are counted from the first token that counts, so that padding on
 * the left moves nothing.
 *
 * @throws {ShapeError} where rows or mask differ in length.
 * @throws {DataError} for an id that the vocabulary does not have.
 */
export function tokenBatch({ ids, mask }: TokenInput, vocabularySize: number): TokenBatch {
  const [batchSize, length] = [ids.length, ids[0]?.length ?? 0];
  assertRows(ids, { batchSize, length, name: 'ids' });
  if (mask !== undefined) {
    assertRows(mask, { batchSize, length, name: 'mask' });
    assertMask(mask);
  }
  if (batchSize === 0 || length === 0) {
    throw new ShapeError('transformer/forward: ids are empty.', { expected: '[B, T]', got: '[0]' });
  }
  const batch = {
    ...{ batchSize, length },
    ids: new Int32Array(batchSize * length),
    mask: new Uint8Array(batchSize * length),
    positions: new Int32Array(batchSize * length),
  };
  for (let row = 0; row < batchSize; row += 1) {
    let seen = 0;
    for (let at = 0; at < length; at += 1) {
      const [id, place] = [ids[row]![at]!, row * length + at];
      if (!Number.isInteger(id) || id < 0 || id >= vocabularySize) {
        throw new DataError(
          `transformer/forward: text ${row}, token ${at} has the id ${id}, the vocabulary has ` +
            `${vocabularySize}.`,
          { help: 'Tokenise with the tokenizer of this model.' },
        );
      }
      const counts = mask === undefined || mask[row]![at]! !== 0;
      seen += counts ? 1 : 0;
      batch.ids[place] = id;
      batch.mask[place] = counts ? 1 : 0;
      batch.positions[place] = Math.max(seen - 1, 0);
    }
  }
  const last = batch.positions.reduce((most, position) => Math.max(most, position), 0);
  return { ...batch, isPadded: batch.mask.includes(0), longest: last + 1 };
}

/** What hooks are told of the tokens of a batch. */
export const passPlace = ({ mask, isPadded }: TokenBatch): PassPlace => (isPadded ? { mask } : {});

/** Row of `[B T, D]` of the last token that counts of each text. */
export function lastTokens({ mask, batchSize, length }: TokenBatch): Int32Array {
  return Int32Array.from({ length: batchSize }, (_, text) => {
    const own = mask.subarray(text * length, (text + 1) * length);
    return text * length + Math.max(own.lastIndexOf(1), 0);
  });
}

function assertRows(
  rows: IdRows,
  { batchSize, length, name }: { batchSize: number; length: number; name: string },
): void {
  const got = rows.map((row) => row.length);
  if (rows.length === batchSize && got.every((one) => one === length)) return;
  throw new ShapeError(
    `transformer/forward: ${name} must be ${batchSize} rows of ${length}, got ` +
      `${rows.length} of ${[...new Set(got)].join(', ')}.`,
    { expected: `[${batchSize}, ${length}]`, got: `[${rows.length}, ${got.join('|')}]` },
  );
}

function assertMask(mask: IdRows): void {
  for (const [text, row] of mask.entries()) {
    const at = Array.from(row).findIndex((value) => value !== 0 && value !== 1);
    if (at < 0) continue;
    throw new DataError(`transformer/forward: mask of text ${text}, token ${at} is ${row[at]}.`, {
      help: 'Give 1 for a token and 0 for padding.',
    });
  }
}
