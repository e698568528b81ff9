/**
 * Bytes that weights take, in files and on the backend.
 */
import { keepsHalf } from '@lab/tensor';
import { STRIP } from '../vocabulary.js';
import type { Checkpoint, StoredWeight } from './checkpoint.js';
import type { Residency } from './residency.js';

/** Bytes of some weights as they are stored, and on the present backend. */
interface Bytes {
  readonly stored: number;
  readonly placed: number;
}

/** Bytes of a checkpoint's weights. */
export interface WeightSizes extends Bytes {
  /** Of the largest block. */
  readonly block: Bytes;
  /** Of all blocks. */
  readonly blocks: Bytes;
  /** Of the largest matrix of the vocabulary so much as is read at once. */
  readonly strip: Bytes;
}

/** Bytes of a weight on the present backend. */
function placedBytes({ shape, dtype }: StoredWeight): number {
  const isHalf = keepsHalf() && /^b?float16$/.test(dtype) && shape.length === 2;
  return shape.reduce((product, size) => product * size, isHalf ? 2 : 4);
}

const added = (one: Bytes, other: Bytes): Bytes => ({
  stored: one.stored + other.stored,
  placed: one.placed + other.placed,
});

const larger = (one: Bytes, other: Bytes): Bytes => (other.placed > one.placed ? other : one);

const NONE: Bytes = { stored: 0, placed: 0 };

/** Bytes of all weights, and of those that are there together where not all are. */
export function weightSizes({ weights }: Pick<Checkpoint, 'weights'>): WeightSizes {
  const blocks = new Map<string, Bytes>();
  let [all, strip] = [NONE, NONE];
  for (const [name, weight] of weights) {
    const own = { stored: weight.sizeBytes, placed: placedBytes(weight) };
    all = added(all, own);
    // What has a number in its name belongs to the block of that number.
    const block = /^(?:.*?\.)??\d+(?=\.)/.exec(name)?.[0];
    if (block !== undefined) blocks.set(block, added(blocks.get(block) ?? NONE, own));
    else strip = larger(strip, stripOf(weight, own));
  }
  return {
    ...{ ...all, strip },
    block: [...blocks.values()].reduce(larger, NONE),
    blocks: [...blocks.values()].reduce(added, NONE),
  };
}

/** A part of a matrix whose rows are read in strips. */
function stripOf({ shape }: StoredWeight, { stored, placed }: Bytes): Bytes {
  const share = Math.min(1, STRIP / Math.max(shape[0] ?? 1, 1));
  return { stored: share * stored, placed: share * placed };
}

/** Bytes of weights that are there together at most. */
export function heldBytes(residency: Residency, sizes: WeightSizes): number {
  const { stored, placed, block, strip } = sizes;
  if (residency === 'resident') return placed;
  if (residency === 'host') return stored + block.placed + strip.placed;
  // The next block is read while one runs; the next strip while one is used.
  return block.placed + Math.max(block.stored, 2 * strip.stored + strip.placed);
}
