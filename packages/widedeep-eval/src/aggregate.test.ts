import { describe, expect, test } from 'vitest';
import { aggregate, conflictRateOf } from './aggregate.js';
import type { Layer, Neuron, Review } from './judgement.js';

const review = (u: number | null, v: number | null): Review => ({
  ...{ text: '', u, v, finish: 'stop', requestHash: null, usage: { in: 0, out: 0 } },
  ...(u === null ? { problem: 'unparsed' as const } : {}),
});
type Pair = readonly [number | null, number | null];
const neuron = (j: number, forward: Pair, backward?: Pair): Neuron => ({
  j,
  roles: [],
  orders: {
    '12': review(...forward),
    ...(backward === undefined ? {} : { '21': review(...backward) }),
  },
});
const layers = (...all: readonly (readonly Neuron[])[]): Layer[] =>
  all.map((neurons, at) => ({ layer: at + 1, neurons }));

describe('two layers of two judges, both orders', () => {
  // Differences: layer 1: +4, +1 | -1, -2; layer 2: +2, 0 | -2, -1.
  const network = layers(
    [neuron(0, [8, 4], [7, 6]), neuron(1, [5, 6], [4, 6])],
    [neuron(0, [7, 5], [6, 6]), neuron(1, [5, 7], [6, 7])],
  );

  test('all four aggregations by hand', () => {
    const { aggregates, verdict } = aggregate(network);
    expect(aggregates.avgAll!.U).toBeCloseTo((8 + 7 + 5 + 4 + 7 + 6 + 5 + 6) / 8, 12);
    expect(aggregates.avgAll!.V).toBeCloseTo((4 + 6 + 6 + 6 + 5 + 6 + 7 + 7) / 8, 12);
    expect(aggregates.avgLast).toEqual({ U: 6, V: 6.25 });
    // Votes: 1, 2 | 1, 2: equal, so the means decide: 6.000 to 5.875, and 6 to 6.25.
    expect(aggregates.voteAll).toBe('1');
    expect(aggregates.voteLast).toBe('2');
    expect(verdict).toBe('1');
  });

  test.each([
    [{ scope: 'last' }, '2'],
    [{ primary: 'vote' }, '1'],
    [{ primary: 'vote', scope: 'last' }, '2'],
    [{ primary: 'vote', tieBreak: 'tie' }, 'tie'],
    [{ tau: 0.125 }, 'tie'],
    [{ tau: 0.124 }, '1'],
    // By orders: +, +, -, -, +, 0, -, -: four for 2, three for 1.
    [{ primary: 'vote', perOrderVotes: true }, '2'],
  ] as const)('with %j the verdict is %s', (options, verdict) => {
    expect(aggregate(network, options).verdict).toBe(verdict);
  });

  test('the mean of the released code has 1e-5 under it', () => {
    const { U } = aggregate(network, { epsilon: 1e-5 }).aggregates.avgAll!;
    expect(U).toBeCloseTo(48 / (8 + 1e-5), 12);
  });
});

test('one judge decides alone', () => {
  const { aggregates, verdict } = aggregate(layers([neuron(0, [3, 9])]));
  expect(aggregates).toEqual({
    ...{ voteLast: '2', voteAll: '2' },
    ...{ avgLast: { U: 3, V: 9 }, avgAll: { U: 3, V: 9 } },
  });
  expect(verdict).toBe('2');
});

describe('a judge without scores', () => {
  const network = layers([
    neuron(0, [9, 1], [9, 1]),
    neuron(1, [null, null], [2, 8]),
    neuron(2, [4, 6], [5, 6]),
  ]);

  test('is left out with both of its orders', () => {
    const { avgAll, voteAll } = aggregate(network).aggregates;
    expect(avgAll).toEqual({ U: 27 / 4, V: 14 / 4 });
    expect(voteAll).toBe('1'); // one vote each, the means decide
  });

  test('counts as (0, 0) in the released code', () => {
    const { avgAll } = aggregate(network, { failed: 'zero' }).aggregates;
    expect(avgAll).toEqual({ U: 29 / 6, V: 22 / 6 });
  });
});

test('without half of its judges a sample has no verdict', () => {
  const failed = neuron(1, [null, null]);
  const half = aggregate(layers([neuron(0, [8, 4]), failed]));
  expect(half.verdict).toBe('1');
  const fewer = aggregate(layers([neuron(0, [8, 4]), failed, { ...failed, j: 2 }]));
  expect(fewer).toEqual({
    aggregates: { voteLast: null, voteAll: null, avgLast: null, avgAll: null },
    verdict: null,
  });
});

test('the conflict rate counts judges whose verdict changes with the order', () => {
  const same = neuron(0, [8, 4], [7, 6]);
  const changed = neuron(1, [8, 4], [4, 8]);
  const tied = neuron(2, [5, 5], [6, 5]);
  expect(conflictRateOf(layers([same, changed, tied]))).toBeCloseTo(2 / 3, 12);
  expect(conflictRateOf(layers([neuron(0, [8, 4])]))).toBeNull();
});
