import { describe, expect, it } from 'vitest';
import { headStability } from './head-stability.js';

const prompts = Array.from({ length: 20 }, (_, at) => ({
  // 0-0 always leads; 0-1 and 1-0 change places; 1-1 is not scored.
  scores: [
    [5 + (at % 3), at % 2 === 0 ? 2 : 0.9],
    [at % 2 === 0 ? 1 : 1.9, null],
  ],
}));

describe('headStability', () => {
  it('tells sure heads from heads that other prompts would rank otherwise', () => {
    const found = headStability(prompts, { top: 2, resamples: 400, seed: 3 });
    expect(found.map(({ layer, head }) => `${layer}-${head}`)).toEqual(['0-0', '0-1', '1-0']);
    expect(found[0]).toMatchObject({ rank: 1, rankLow: 1, rankHigh: 1, topShare: 1 });
    expect(found[0]!.low).toBeLessThan(found[0]!.mean);
    expect(found[1]).toMatchObject({ rankLow: 2, rankHigh: 3 });
    expect(found[1]!.topShare + found[2]!.topShare).toBeCloseTo(1, 12);
    expect(found[1]!.topShare).toBeGreaterThan(0.3);
    expect(found[1]!.topShare).toBeLessThan(0.7);
    expect(headStability(prompts, { top: 2, resamples: 400, seed: 3 })).toEqual(found);
  });

  it('refuses what cannot be resampled', () => {
    expect(() => headStability(prompts.slice(0, 1))).toThrow(/1 prompts cannot/);
    const other = {
      scores: [
        [1, null],
        [1, null],
      ],
    };
    expect(() => headStability([prompts[0]!, other])).toThrow(/prompt 1 has no score of head 0-1/);
  });
});
