import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { studyOrganism } from '../../src/experiments/organism.js';
import { headKey } from '../../src/head.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('the trained model', () => {
  it('answers without the heads that are found more than without random ones', async () => {
    const sizes = { scored: 16, refused: 24, answered: 4 };
    const { intact, groups, random, randomInterval } = await studyOrganism({ sizes });
    expect(random).toHaveLength(20);
    expect(intact.success.rate.share).toBe(0);
    for (const { name, heads, success } of groups) {
      const what = `${name}: ${heads.map(headKey).join(', ')}`;
      expect(success.rate.low, what).toBeGreaterThan(randomInterval.high);
      expect(success.rate.share, what).toBeGreaterThan(Math.max(...random));
    }
  });
});
