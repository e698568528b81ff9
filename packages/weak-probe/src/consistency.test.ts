import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { consistencyVsAsr, middleStates, topKConsistency } from './consistency.js';
import type { StateTops } from './lens.js';
import { tokenKinds } from './token-kinds.js';
import { countTokens, kindShares, tokenTable } from './token-table.js';

/** Texts of the tokens 0 to 5; two are the same but for a space that decoding drops. */
const names = ['sorry', 'sure', 'sorry', 'table', 'cannot', 'lamp'];
const nameOf = (id: number) => names[id]!;
const tops = (rows: readonly (readonly number[])[], state = 3): StateTops => ({
  ...{ state, top: rows[0]!.length },
  ids: Int32Array.from(rows.flat()),
});

describe('consistency', () => {
  it('is .8333 for three prompts with {a, b}, {a, c}, {a, b}', () => {
    const letters = (id: number) => 'abc'[id]!;
    const found = topKConsistency(
      [
        tops([
          [0, 1],
          [0, 2],
          [1, 0],
        ]),
      ],
      { nameOf: letters },
    );
    expect(found.value).toBeCloseTo(5 / 6, 12);
    const counts = found.states[0]!.tokens.map(({ text, count }) => [text, count]);
    expect(counts).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
  });
  it('is 1 where all prompts have the same tokens, and the mean over states', () => {
    const same = tops(
      [
        [0, 1],
        [1, 0],
      ],
      3,
    );
    const apart = tops(
      [
        [0, 1],
        [3, 4],
      ],
      4,
    );
    expect(topKConsistency([same], { nameOf }).value).toBe(1);
    expect(topKConsistency([apart], { nameOf }).value).toBe(0.5);
    expect(topKConsistency([same, apart], { nameOf }).value).toBe(0.75);
  });
  it('counts tokens by their text, once for each prompt', () => {
    const twice = tops([
      [0, 2],
      [0, 3],
      [2, 3],
    ]);
    expect(countTokens(twice, { nameOf, countBy: 'text' })[0]).toMatchObject({ count: 3 });
    const repeated = { nameOf, countBy: 'text', isRepeated: true } as const;
    expect(countTokens(twice, repeated)[0]).toMatchObject({ text: 'sorry', count: 4 });
    expect(topKConsistency([twice], { nameOf, countBy: 'text' }).value).toBeCloseTo(5 / 6, 12);
    expect(topKConsistency([twice], { nameOf }).value).toBeCloseTo(4 / 6, 12);
  });
  it('divides by all places where tokens are restricted', () => {
    const lens = [
      tops([
        [0, 1],
        [0, 4],
        [3, 5],
      ]),
    ];
    const kinds = tokenKinds();
    const of = (restrict: 'negative' | 'positive' | readonly string[]) =>
      topKConsistency(lens, { nameOf, kinds, restrict }).value;
    expect(of('negative')).toBeCloseTo(3 / 6, 12);
    expect(of('positive')).toBeCloseTo(1 / 6, 12);
    expect(of([' LAMP'])).toBeCloseTo(1 / 6, 12);
    expect(() => topKConsistency(lens, { nameOf, restrict: 'negative' })).toThrow(/needs lists/);
  });
  it('has an interval over prompts around it that repeats with its seed', () => {
    const rows = Array.from({ length: 40 }, (_, row) => [row % 4 === 0 ? 3 : 0, 5]);
    const lens = [tops(rows)];
    for (const countBy of ['token', 'text'] as const) {
      const options = () => ({ nameOf, countBy, random: createRandom(1) });
      const { value, interval } = topKConsistency(lens, options());
      expect(value).toBe((30 + 40) / 80);
      expect(interval!.low).toBeLessThan(value);
      expect(interval!.high).toBeGreaterThan(value);
      expect(topKConsistency(lens, options()).interval).toEqual(interval);
    }
  });
  it('refuses no states, no prompts, and states that differ in K', () => {
    expect(() => topKConsistency([], { nameOf })).toThrow(/no states/);
    const none = { state: 1, top: 2, ids: new Int32Array(0) };
    expect(() => topKConsistency([none], { nameOf })).toThrow(/state 1 has no prompts/);
    const uneven = [tops([[0, 1]]), tops([[0], [1]])];
    expect(() => topKConsistency(uneven, { nameOf })).toThrow(/differ/);
  });
});

it('takes the middle states in proportion', () => {
  expect(middleStates(32)).toEqual([16, 17, 18, 19, 20, 21, 22, 23]);
  expect(middleStates(5)).toEqual([3]);
  expect(middleStates(40)).toHaveLength(10);
  expect(() => middleStates(1, 0.6, 0.7)).toThrow(/no state/);
});

it('lists the most frequent tokens of each state with kinds and shares', () => {
  const table = tokenTable(
    [
      tops([
        [0, 1],
        [0, 3],
        [0, 1],
        [5, 0],
      ]),
    ],
    { nameOf, kinds: tokenKinds() },
  );
  expect(table.states[0]!.cells.map(({ text, count, kind }) => [text, count, kind])).toEqual([
    ['sorry', 4, 'negative'],
    ['sure', 2, 'positive'],
  ]);
  expect(table.states[0]).toMatchObject({ distinctTokens: 4 });
  const found = kindShares(
    tops([
      [0, 1],
      [3, 4],
      [0, 2],
    ]),
    nameOf,
    tokenKinds(),
  );
  expect(found.kindShares).toEqual({ negative: 4 / 6, positive: 1 / 6, neutral: 0, other: 1 / 6 });
  // Shares of the prompts .5, .5 and 1: mean 2/3, deviation .2887, t(.975, 2) = 4.303.
  expect(found.kindIntervals.negative.low).toBe(0);
  expect(found.kindIntervals.negative.high).toBe(1);
  expect(found.kindIntervals.neutral).toEqual({ low: 0, high: 0 });
  const many = tops(Array.from({ length: 16 }, (_, row) => (row % 2 === 0 ? [0, 3] : [0, 4])));
  // Shares .5 and 1 in turn: deviation .2582, t(.975, 15) = 2.1314, half width .1376.
  const { low, high } = kindShares(many, nameOf, tokenKinds()).kindIntervals.negative;
  expect([low, high].map((one) => one.toFixed(3))).toEqual(['0.612', '0.888']);
});

describe('consistency against attack success', () => {
  const points = Array.from({ length: 10 }, (_, at) => ({
    ...{ name: `model ${at}`, consistency: at / 10 },
    attackSuccess: 1 - at / 10 + (at % 3) / 20,
  }));
  it('gives three correlations with intervals around them', () => {
    const found = consistencyVsAsr(points, { random: createRandom(3), resamples: 500 });
    for (const one of [found.pearson, found.spearman, found.kendall]) {
      expect(one.value).toBeLessThan(-0.8);
      expect(one.low).toBeLessThanOrEqual(one.value);
      expect(one.high).toBeGreaterThan(one.value);
    }
    expect(found.pearson.degenerateResamples).toBe(0);
  });
  it('leaves out resamples in which a side does not vary', () => {
    const random = createRandom(3);
    const { pearson } = consistencyVsAsr(points.slice(0, 3), { random, resamples: 500 });
    expect(pearson.degenerateResamples).toBeGreaterThan(20);
    expect(pearson.low).toBeGreaterThanOrEqual(-1);
  });
  it('refuses two models, and a side that is the same for all', () => {
    const random = createRandom(3);
    expect(() => consistencyVsAsr(points.slice(0, 2), { random })).toThrow(/needed are three/);
    const flat = points.map((point) => ({ ...point, consistency: 0.5 }));
    expect(() => consistencyVsAsr(flat, { random })).toThrow(/same for all 10/);
  });
});
