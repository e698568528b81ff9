import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { categoryHeads } from './category-heads.js';
import { subsetAgreement } from './subset-agreement.js';

/** Scores of prompts in which two heads of ten are high, as far as noise lets one see. */
function noisyPrompts(count: number, noise: number) {
  const random = createRandom(3);
  return Array.from({ length: count }, () => ({
    scores: [Array.from({ length: 10 }, (_, head) => (head < 2 ? 1 : 0) + noise * random.normal())],
  }));
}

describe('subsetAgreement', () => {
  it('is 1 where every prompt names the same heads, and grows with the number of prompts', () => {
    const sure = subsetAgreement(noisyPrompts(12, 0.01), { top: 2 });
    expect(sure.map(({ size }) => size)).toEqual([1, 2, 4, 6]);
    expect(sure.every(({ shared, low, high }) => shared === 1 && low === 1 && high === 1)).toBe(
      true,
    );
    const noisy = subsetAgreement(noisyPrompts(64, 2), { top: 2, draws: 300 });
    const shares = noisy.map(({ shared }) => shared);
    expect(shares[0]).toBeLessThan(0.5);
    expect(shares.at(-1)).toBeGreaterThan(shares[0]! + 0.2);
    expect(noisy.every(({ shared, low, high }) => low <= shared && shared <= high)).toBe(true);
  });

  it('is what chance gives where nothing is there', () => {
    // Two random sets of 2 of 10 share 2 / 10 of their heads.
    const random = createRandom(9);
    const none = Array.from({ length: 80 }, () => ({
      scores: [Array.from({ length: 10 }, () => random.normal())],
    }));
    const [one] = subsetAgreement(none, { top: 2, sizes: [1], draws: 2000 });
    expect(one!.shared).toBeGreaterThan(0.16);
    expect(one!.shared).toBeLessThan(0.24);
  });

  it('refuses what cannot be split', () => {
    expect(() => subsetAgreement(noisyPrompts(1, 1))).toThrow(/1 prompts/);
    expect(() => subsetAgreement(noisyPrompts(6, 1), { sizes: [4] })).toThrow(/two sets of 4/);
    const [first] = noisyPrompts(1, 1);
    const screened = { scores: [first!.scores[0]!.map((one, at) => (at === 3 ? null : one))] };
    expect(() => subsetAgreement([first!, screened])).toThrow(/2 prompts/);
  });
});

describe('categoryHeads', () => {
  const of = (category: string | undefined, ...scores: number[]) => ({
    category,
    scores: [scores],
  });

  it('ranks the heads of each kind, and says which are first elsewhere, too', () => {
    const found = categoryHeads(
      [of('b', 0, 3, 1), of('a', 5, 1, 0), of('b', 0, 5, 2), of('a', 3, 2, 0)],
      1,
    );
    expect(found.map(({ category }) => category)).toEqual(['a', 'b']);
    expect(found[0]).toMatchObject({ promptCount: 2, scores: [[4, 1.5, 0]], shared: [] });
    expect(found[1]!.best).toEqual([{ layer: 0, head: 1, score: 4 }]);
    const alike = categoryHeads([of('a', 2, 1), of('b', 3, 1)], 1);
    expect(alike[0]!.shared).toEqual([{ layer: 0, head: 0 }]);
  });

  it('is empty where prompts have one kind or none', () => {
    expect(categoryHeads([of('a', 1), of('a', 2)])).toEqual([]);
    expect(categoryHeads([of(undefined, 1), of('a', 2)])).toEqual([]);
  });
});
