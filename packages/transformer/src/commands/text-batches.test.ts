import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../model-config.js';
import { blockFits } from '../run-memory.js';
import { textBatches } from './text-batches.js';

const checkpoints = join(import.meta.dirname, '../../test/golden/checkpoints');
const architectureOf = (name: string) => readModelConfig(join(checkpoints, name)).architecture;
const ids = Array.from({ length: 5 }, (_, text) => [text, 1, 2]);
const mask = ids.map(() => [1, 1, 1]);

const plain = (rows: readonly ArrayLike<number>[]) => rows.map((row) => Array.from(row));

describe('textBatches', () => {
  it.each([
    [6, [2, 2, 1]],
    [8, [2, 2, 1]],
    [1, [1, 1, 1, 1, 1]],
    [100, [5]],
  ])('puts texts together up to %i tokens', (most, sizes) => {
    for (const isFixed of [false, true]) {
      const batches = textBatches({ ids, mask }, architectureOf('llama'), { most, isFixed });
      expect(batches.map((batch) => batch.ids.length)).toEqual(sizes);
      expect(plain(batches.flatMap((batch) => batch.ids))).toEqual(ids);
      expect(plain(batches.flatMap((batch) => batch.mask))).toEqual(mask);
      expect(batches.flatMap(({ places }) => places)).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('puts fewer together where a block would take more than its share of the budget', () => {
    const architecture = architectureOf('llama');
    const sizes = (budgetBytes: number) => {
      const fits = blockFits(architecture, { budgetBytes });
      return [false, true].map((isFixed) =>
        textBatches({ ids, mask }, architecture, { most: 100, fits, isFixed }).map(
          (batch) => batch.ids.length,
        ),
      );
    };
    expect(sizes(1e9)).toEqual([[5], [5]]);
    expect(sizes(1)).toEqual([Array(5).fill(1), Array(5).fill(1)]);
    // Six tokens need 4 x 4 x 6 times the numbers of a token.
    const { width, headCount, keyValueHeadCount, headWidth, mlpWidth } = architecture;
    const attention = 5 * (headCount + keyValueHeadCount) * headWidth + 2 * width;
    const floats = 4 * width + Math.max(attention, 4 * mlpWidth + 2 * width);
    expect(sizes(4 * 4 * 6 * floats)).toEqual([
      [2, 2, 1],
      [2, 2, 1],
    ]);
    expect(sizes(4 * 4 * 6 * floats - 1)).toEqual([Array(5).fill(1), Array(5).fill(1)]);
  });

  it('leaves padding out on both sides, not tokens that do not count', () => {
    const given = {
      ids: [
        [0, 0, 5, 6],
        [7, 8, 9, 1],
        [3, 0, 4, 0],
      ],
      mask: [
        [0, 0, 1, 1],
        [1, 1, 1, 1],
        [1, 0, 1, 0],
      ],
    };
    const [batch] = textBatches(given, architectureOf('llama'), { most: 100 });
    expect(batch!.places).toEqual([0, 2, 1]);
    expect(plain(batch!.ids)).toEqual([
      [0, 0, 5, 6],
      [0, 3, 0, 4],
      [7, 8, 9, 1],
    ]);
    expect(plain(batch!.mask)).toEqual([
      [0, 0, 1, 1],
      [0, 1, 0, 1],
      [1, 1, 1, 1],
    ]);
    expect(batch!.columns).toEqual([
      [2, 4],
      [0, 3],
      [0, 4],
    ]);
    const alone = textBatches(
      { ids: given.ids.slice(0, 1), mask: given.mask.slice(0, 1) },
      architectureOf('llama'),
      { most: 1 },
    );
    expect(plain(alone[0]!.ids)).toEqual([[5, 6]]);
  });

  it('leaves texts together where positions depend on the longest', () => {
    for (const name of ['llama-dynamic', 'phi3-longrope']) {
      const [batch, ...more] = textBatches({ ids }, architectureOf(name), { most: 1 });
      expect(more).toEqual([]);
      expect(batch!.ids).toEqual(ids);
    }
  });

  it('refuses what a pass would refuse', () => {
    const architecture = architectureOf('llama');
    const batches = (rows: number[][]) => textBatches({ ids: rows }, architecture, { most: 1 });
    expect(() => batches([[1], [97]])).toThrow('has the id 97');
    expect(() => batches([[1], [2, 3]])).toThrow('ids must be');
  });
});
