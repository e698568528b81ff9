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

/** Texts whose tokens may stand where the caller says. */
export interface PlacedTokenInput extends TokenInput {
  /**
   * Position of each token, `[B, T]`, whole numbers from 0; default those that are counted by the
   * mask. Which tokens a query sees depends on their order in the row alone.
   */
  readonly positions?: IdRows | undefined;
}

/** What messages call the two fields of a batch. */
export interface BatchNames {
  readonly ids: string;
  readonly mask: string;
}

/**
 * A batch of token ids. Positions are counted from the first token that counts, so that padding on
 * the left moves nothing.
 *
 * @throws {ShapeError} where rows, mask or positions differ in length.
 * @throws {DataError} for an id that the vocabulary does not have, a text whose mask counts no
 *   token, and positions that are none.
 */
export function tokenBatch(
  { ids, mask, positions }: PlacedTokenInput,
  vocabularySize: number,
  names: BatchNames = { ids: 'ids', mask: 'mask' },
): TokenBatch {
  const [batchSize, length] = [ids.length, ids[0]?.length ?? 0];
  assertRows(ids, { batchSize, length, name: names.ids });
  if (mask !== undefined) {
    assertRows(mask, { batchSize, length, name: names.mask });
    assertMask(mask, names.mask);
  }
  if (positions !== undefined) {
    assertRows(positions, { batchSize, length, name: 'positions' });
    assertPositions(positions);
  }
  if (batchSize === 0 || length === 0) {
    const sizes = { expected: '[B, T]', got: '[0]' };
    throw new ShapeError(`transformer/forward: ${names.ids} are empty.`, sizes);
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
          `transformer/forward: ${names.ids === 'ids' ? '' : `${names.ids}: `}text ${row}, ` +
            `token ${at} has the id ${id}, the vocabulary has ${vocabularySize}.`,
          { help: 'Tokenise with the tokenizer of this model.' },
        );
      }
      const counts = mask === undefined || mask[row]![at]! !== 0;
      seen += counts ? 1 : 0;
      batch.ids[place] = id;
      batch.mask[place] = counts ? 1 : 0;
      batch.positions[place] = positions?.[row]![at] ?? Math.max(seen - 1, 0);
    }
  }
  const last = batch.positions.reduce((most, position) => Math.max(most, position), 0);
  const arePositionsGiven = positions !== undefined;
  return { ...batch, arePositionsGiven, isPadded: batch.mask.includes(0), longest: last + 1 };
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

function assertMask(mask: IdRows, name: string): void {
  for (const [text, row] of mask.entries()) {
    const values = Array.from(row);
    const at = values.findIndex((value) => value !== 0 && value !== 1);
    if (at >= 0) {
      throw new DataError(
        `transformer/forward: ${name} of text ${text}, token ${at} is ${row[at]}.`,
        { help: 'Give 1 for a token and 0 for padding.' },
      );
    }
    if (row.length > 0 && !values.includes(1)) {
      throw new DataError(`transformer/forward: ${name} of text ${text} counts no token.`, {
        help: 'Leave the text out, or give it one token at least, with 1 in its mask.',
      });
    }
  }
}

/** Largest number of 32 bits. */
const LAST_POSITION = 2 ** 31 - 1;

function assertPositions(positions: IdRows): void {
  for (const [text, row] of positions.entries()) {
    const isPosition = (one: number) => Number.isInteger(one) && one >= 0 && one <= LAST_POSITION;
    const at = Array.from(row).findIndex((one) => !isPosition(one));
    if (at < 0) continue;
    throw new DataError(
      `transformer/forward: positions of text ${text}, token ${at} is ${row[at]}.`,
      { help: 'Give whole numbers from 0, for padding as well.' },
    );
  }
}
