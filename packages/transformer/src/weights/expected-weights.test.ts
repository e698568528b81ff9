import { expect, it } from 'vitest';
import type { StoredWeight } from './checkpoint.js';
import { matchWeights } from './expected-weights.js';

it('a weight of another shape is known all the same', () => {
  const stored = (...shape: number[]): StoredWeight => ({ shape, dtype: 'float32', sizeBytes: 4 });
  const list = {
    expected: new Map([
      ['a.weight', [2, 3]],
      ['b.weight', [4]],
    ]),
    optional: new Map(),
    ignored: null,
    optionalPrefix: null,
  };
  const weights = new Map([
    ['a.weight', stored(3, 2)],
    ['c.weight', stored(1)],
  ]);
  const match = () => matchWeights(list, { folder: 'model', weights });
  expect(match).toThrow(
    '1 missing: b.weight; 1 of another shape: a.weight [3, 2], not [2, 3]; 1 not known: c.weight.',
  );
});
