import { createRandom } from '@lab/core';
import { describe, expect, test } from 'vitest';
import { rankAtEqualLength } from './length-control.js';
import { type Comparison, rankSystems } from './ranking.js';

const random = () => createRandom(5);
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

/** Verdicts of a judge for whom strength and length count, for systems that write more or less. */
function drawn(strengths: Readonly<Record<string, number>>, effect: number, count = 4000) {
  const draw = createRandom(11);
  const names = Object.keys(strengths);
  return Array.from({ length: count }, (): Comparison => {
    const system1 = names[draw.integer(names.length)]!;
    const others = names.filter((name) => name !== system1);
    const system2 = others[draw.integer(others.length)]!;
    // The second of the names writes 300 characters more than the others.
    const extra = (name: string) => (name === names[1] ? 300 : 0);
    const lengthDifference = extra(system1) - extra(system2) + Math.round(200 * draw.normal());
    const x = Math.tanh(lengthDifference / 300);
    const p = sigmoid(strengths[system1]! - strengths[system2]! + effect * x);
    return { system1, system2, verdict: draw.uniform() < p ? '1' : '2', lengthDifference };
  });
}

describe('rankAtEqualLength', () => {
  test('takes away what length alone wins', () => {
    // b is no better than a, and wins by length.
    const comparisons = drawn({ a: 0.3, b: 0.3, c: -0.6 }, 1.5);
    const plain = rankSystems(comparisons, { random: random(), resamples: 20 });
    const { systems, lengthEffect } = rankAtEqualLength(comparisons, {
      ...{ random: random(), resamples: 200 },
    });
    expect(plain[0]!.name).toBe('b');
    const of = (name: string) => systems.find((system) => system.name === name)!;
    const [a, b, c] = [of('a'), of('b'), of('c')];
    expect(Math.abs(a.strength - b.strength)).toBeLessThan(0.2);
    expect(a.strength - c.strength).toBeCloseTo(0.9, 0);
    expect(lengthEffect.low).toBeGreaterThan(1);
    expect(lengthEffect.high).toBeLessThan(2);
    expect(b.winRate - b.equalLengthWinRate).toBeGreaterThan(0.05);
    expect(a.strength + b.strength + c.strength).toBeCloseTo(0, 9);
    for (const { strength, low, high } of systems) {
      expect(low).toBeLessThan(strength);
      expect(high).toBeGreaterThan(strength);
    }
  });

  test('with equal lengths it is the plain ranking', () => {
    const verdicts = ['1', '1', '2', 'tie', '1', '2', '1'] as const;
    const comparisons = verdicts.flatMap((verdict): Comparison[] => [
      { system1: 'a', system2: 'b', verdict, lengthDifference: 0 },
      { system1: 'b', system2: 'c', verdict, lengthDifference: 0 },
    ]);
    const options = { random: random(), resamples: 10 };
    const plain = rankSystems(comparisons, options);
    const { systems, lengthEffect } = rankAtEqualLength(comparisons, options);
    expect(systems.map(({ name }) => name)).toEqual(plain.map(({ name }) => name));
    for (const [at, { strength }] of systems.entries()) {
      expect(strength).toBeCloseTo(plain[at]!.strength, 6);
    }
    expect(lengthEffect.value).toBeCloseTo(0, 9);
  });

  test('of two systems by hand', () => {
    // At x = +t the first wins 3 of 4, at x = -t 1 of 4: all of it is length.
    const one = (verdict: '1' | '2', lengthDifference: number): Comparison => ({
      ...{ system1: 'a', system2: 'b', verdict, lengthDifference },
    });
    const comparisons = [
      ...[one('1', 10), one('1', 10), one('1', 10), one('2', 10)],
      ...[one('2', -10), one('2', -10), one('2', -10), one('1', -10)],
    ];
    const { systems, lengthEffect, scale } = rankAtEqualLength(comparisons, {
      ...{ random: random(), resamples: 10 },
    });
    expect(scale).toBe(10);
    for (const { strength, equalLengthWinRate } of systems) {
      expect(strength).toBeCloseTo(0, 9);
      expect(equalLengthWinRate).toBeCloseTo(0.5, 9);
    }
    // 8 t (3/4 - p) + (1/2 - q) = 0, p = sigmoid(b t), q = sigmoid(b), t = tanh(1).
    const [t, b] = [Math.tanh(1), lengthEffect.value];
    expect(8 * t * (0.75 - sigmoid(b * t)) + (0.5 - sigmoid(b))).toBeCloseTo(0, 8);
  });

  test('needs lengths', () => {
    const comparisons: Comparison[] = [{ system1: 'a', system2: 'b', verdict: '1' }];
    expect(() => rankAtEqualLength(comparisons, { random: random() })).toThrow(/lengths/);
  });
});
