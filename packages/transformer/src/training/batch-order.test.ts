import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { batchCount, epochBatches, heldOutSplit, paddingShare } from './batch-order.js';

const lengths = Array.from({ length: 1003 }, (_, at) => 1 + ((at * 37) % 211));
const random = () => createRandom(3).fork('order/0');

describe('epochBatches', () => {
  it('has every example once, in batches of like lengths, in another order each epoch', () => {
    const batches = epochBatches(lengths, 8, random());
    expect(batches).toHaveLength(batchCount(1003, 8));
    expect(batches.flat().toSorted((a, b) => a - b)).toEqual(lengths.map((_, at) => at));
    const padding = batches.map((batch) => paddingShare(batch.map((at) => lengths[at]!)));
    const mean = padding.reduce((sum, share) => sum + share, 0) / padding.length;
    expect(mean).toBeLessThan(0.04);
    const plain = lengths.flatMap((_, at) => (at % 8 === 0 ? [lengths.slice(at, at + 8)] : []));
    expect(paddingShare(plain[0]!)).toBeGreaterThan(0.2);
    expect(epochBatches(lengths, 8, random())).toEqual(batches);
    expect(epochBatches(lengths, 8, createRandom(3).fork('order/1'))).not.toEqual(batches);
    // Short batches do not all come first.
    const longest = batches.map((batch) => Math.max(...batch.map((at) => lengths[at]!)));
    expect(longest.slice(1).some((length, at) => length < longest[at]!)).toBe(true);
  });

  it('takes fewer examples than a batch', () => {
    expect(
      epochBatches([5, 3], 8, random()).map((batch) => batch.toSorted((a, b) => a - b)),
    ).toEqual([[0, 1]]);
  });
});

describe('heldOutSplit', () => {
  it('holds out a drawn share, and never all', () => {
    const all = Array.from({ length: 40 }, (_, at) => at);
    const { train, heldOut } = heldOutSplit(all, 0.1, createRandom(1));
    expect(heldOut).toHaveLength(4);
    expect([...train, ...heldOut].toSorted((a, b) => a - b)).toEqual(all);
    expect(heldOutSplit(all, 0, createRandom(1)).heldOut).toEqual([]);
    expect(heldOutSplit([1], 0.5, createRandom(1))).toEqual({ train: [1], heldOut: [] });
    expect(heldOutSplit([1, 2], 0.99, createRandom(1)).train).toHaveLength(1);
    expect(heldOutSplit([1, 2, 3], 0.01, createRandom(1)).heldOut).toHaveLength(1);
  });
});
