import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { splitLinks } from './alignment.js';
import { syntheticPair } from './datasets/synthetic-pair.js';
import { propagateSeeds } from './propagation.js';

describe('propagateSeeds', () => {
  it('gives rows of norm 1 or 0, in the order of the test pairs, the same every time', async () => {
    const pair = syntheticPair({ entities: 60, random: createRandom(3) });
    const parts = await splitLinks(pair, { share: 0.3 });
    const options = { width: 16, steps: 2, attributes: true };
    const first = await propagateSeeds(pair, parts, options);
    const { dimension, embeddings, left, right } = first;
    expect(await propagateSeeds(pair, parts, options)).toEqual(first);
    expect(embeddings).toHaveLength(120 * dimension);
    expect(dimension).toBe(2 * 16 + 16); // more shared names than columns: projected
    for (let i = 0; i < 120; i += 1) {
      const norm = Math.hypot(...embeddings.subarray(i * dimension, (i + 1) * dimension));
      expect(norm === 0 || Math.abs(norm - 1) < 1e-5).toBe(true);
    }
    const at = (entity: number): Float32Array =>
      embeddings.slice(entity * dimension, (entity + 1) * dimension);
    expect(left.slice(0, dimension)).toEqual(at(parts.test[0] as number));
    expect(right.slice(-dimension)).toEqual(at(parts.test.at(-1) as number));
  });

  it('does not look at test links', async () => {
    const pair = syntheticPair({ entities: 40, random: createRandom(4) });
    const parts = await splitLinks(pair, { share: 0.3 });
    const reversed = parts.test.slice().reverse();
    const a = await propagateSeeds(pair, parts, { width: 8 });
    const b = await propagateSeeds(pair, { ...parts, test: reversed }, { width: 8 });
    expect(b.embeddings).toEqual(a.embeddings);
  });

  it('refuses a width of 0 and stops when told to', async () => {
    const data = syntheticPair({ entities: 40, random: createRandom(4) });
    const split = await splitLinks(data, { share: 0.3 });
    await expect(propagateSeeds(data, split, { width: 0 })).rejects.toThrow(/width is 0/);
    await expect(propagateSeeds(data, split, { steps: 1.5 })).rejects.toThrow(/steps is 1.5/);
    const signal = AbortSignal.abort();
    await expect(propagateSeeds(data, split, { signal })).rejects.toThrow(/abort/i);
  });
});
