import { createRandom } from '@lab/core';
import { expect, test } from 'vitest';
import { type Comparison, rankSystems } from './ranking.js';
import type { Verdict } from './verdict.js';

const options = { random: createRandom(1), resamples: 200 };
const times = (n: number, system1: string, system2: string, verdict: Verdict): Comparison[] =>
  Array.from({ length: n }, () => ({ system1, system2, verdict }));

test('two systems: the strength is the log odds of wins, with half a win on both sides', () => {
  const ranking = rankSystems([...times(30, 'a', 'b', '1'), ...times(10, 'b', 'a', '1')], options);
  expect(ranking.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(ranking[0]!.strength - ranking[1]!.strength).toBeCloseTo(Math.log(30.5 / 10.5), 8);
  expect(ranking[0]).toMatchObject({ winRate: 0.75, comparisons: 40 });
  expect(ranking[0]!.low).toBeLessThan(ranking[0]!.strength);
});

test('strengths of a known model are found again', () => {
  const truth = { a: 1, b: 0.3, c: -0.4, d: -0.9 };
  const names = Object.keys(truth) as (keyof typeof truth)[];
  const random = createRandom(3);
  const comparisons = Array.from({ length: 6000 }, (): Comparison => {
    const [system1, system2] = random.shuffle([...names]) as [
      keyof typeof truth,
      keyof typeof truth,
    ];
    const wins = 1 / (1 + Math.exp(truth[system2] - truth[system1]));
    return { system1, system2, verdict: random.uniform() < wins ? '1' : '2' };
  });
  for (const { name, strength, low, high } of rankSystems(comparisons, options)) {
    const true_ = truth[name as keyof typeof truth];
    expect(Math.abs(strength - true_)).toBeLessThan(0.12);
    expect(high - low).toBeLessThan(0.25);
  }
});

test('a system that always wins has a finite strength; ties are half a win', () => {
  const [first] = rankSystems(times(5, 'a', 'b', '1'), options);
  expect(first!.strength).toBeCloseTo(Math.log(11) / 2, 8);
  const even = rankSystems(times(4, 'a', 'b', 'tie'), options);
  expect(even.map(({ strength, winRate }) => [strength, winRate])).toEqual([
    [0, 0.5],
    [0, 0.5],
  ]);
});

test('systems that nothing joins, and fewer than two, are errors', () => {
  const apart = [...times(2, 'a', 'b', '1'), ...times(2, 'c', 'd', '1')];
  expect(() => rankSystems(apart, options)).toThrow(/no chain of comparisons joins a and c/);
  expect(() => rankSystems([], options)).toThrow(/0 systems/);
});
