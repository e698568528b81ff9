import { join } from 'node:path';
import { rankPairs, scope, selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AlignmentData,
  type LinkSplit,
  propagateSeeds,
  readAlignmentFolder,
  splitLinks,
} from '../../src/index.js';

const sample = join(import.meta.dirname, '../../../alignment/data/en-fr-3k');

let data: AlignmentData;
let split: LinkSplit;
beforeAll(async () => {
  await selectBackend('wasm');
  data = await readAlignmentFolder(sample);
  split = await splitLinks(data, { share: 0.3 });
});

async function hitsAtOne(attributes: boolean): Promise<{ forward: number; backward: number }> {
  const { dimension, left, right } = await propagateSeeds(data, split, { attributes });
  const count = split.test.length / 2;
  return scope(async () => {
    const { forwardRanks, backwardRanks } = await rankPairs({
      left: tf.tensor2d(left, [count, dimension]),
      right: tf.tensor2d(right, [count, dimension]),
      gold: Int32Array.from({ length: count }, (_, i) => i),
      k: 3,
      csls: true,
    });
    const share = (ranks: Float64Array): number =>
      ranks.filter((rank) => rank === 1).length / count;
    return { forward: share(forwardRanks), backward: share(backwardRanks) };
  });
}

describe('propagateSeeds on EN-FR 3K', () => {
  it('finds 70 % of the test pairs of EN-FR 3K without training, names or attributes', async () => {
    const { forward, backward } = await hitsAtOne(false);
    expect(forward).toBeGreaterThan(0.68);
    expect(backward).toBeGreaterThan(0.67);
  });

  it('finds more with shared attribute names', async () => {
    const { forward } = await hitsAtOne(true);
    expect(forward).toBeGreaterThan(0.7);
  });
});
