import { describe, expect, it } from 'vitest';
import { hypergeometricTail, rankBiasedOverlap, topIndices, topOverlap } from './overlap.js';

describe('topIndices', () => {
  it('orders by value, then by place, and leaves out what is no number', () => {
    expect(topIndices([1, 3, Number.NaN, 3, 2], 3)).toEqual([1, 3, 4]);
    expect(topIndices([0, 0, 0], 2)).toEqual([0, 1]);
    expect(() => topIndices([1, Number.NaN], 2)).toThrow(/the top 2 of 1 values/);
    expect(() => topIndices([1], 0)).toThrow(/the top 0/);
  });
});

describe('topOverlap', () => {
  it('counts what both share', () => {
    const overlap = topOverlap([9, 8, 7, 0, 0, 0, 0, 0], [0, 8, 9, 7, 0, 0, 0, 0], 3);
    expect(overlap).toMatchObject({ both: [1, 2], firstOnly: [0], secondOnly: [3] });
    expect(overlap.jaccard).toBeCloseTo(2 / 4, 12);
    expect(overlap.overlapCoefficient).toBeCloseTo(2 / 3, 12);
    expect(overlap.expected).toBeCloseTo(9 / 8, 12);
    // C(3,2) C(5,1) + C(3,3) = 16 of C(8,3) = 56 draws share two or three.
    expect(overlap.pValue).toBeCloseTo(16 / 56, 12);
    expect(() => topOverlap([1, 2], [1], 1)).toThrow(/2 values against 1/);
  });
});

describe('hypergeometricTail', () => {
  it('adds up the ways to draw as many or more', () => {
    const urn = { population: 8, marked: 3, drawn: 3 };
    expect(hypergeometricTail(0, urn)).toBe(1);
    expect(hypergeometricTail(1, urn)).toBeCloseTo(1 - 10 / 56, 12);
    expect(hypergeometricTail(3, urn)).toBeCloseTo(1 / 56, 12);
    expect(hypergeometricTail(4, urn)).toBe(0);
    expect(hypergeometricTail(2, { population: 4, marked: 3, drawn: 3 })).toBe(1);
  });

  it('equals scipy.stats.hypergeom.sf on a model of 1,024 heads', () => {
    const urn = { population: 1024, marked: 10, drawn: 10 };
    expect(hypergeometricTail(3, urn) / 7.783846288691307e-5).toBeCloseTo(1, 9);
    expect(hypergeometricTail(8, urn) / 6.917169309874363e-17).toBeCloseTo(1, 9);
  });

  it('refuses an urn that cannot be', () => {
    expect(() => hypergeometricTail(1, { population: 3, marked: 4, drawn: 1 })).toThrow(/4 marked/);
    expect(() => hypergeometricTail(1, { population: 3, marked: 1.5, drawn: 1 })).toThrow(/1.5/);
  });
});

describe('rankBiasedOverlap', () => {
  it('is 1 for one ranking twice, 0 for rankings without a common item', () => {
    expect(rankBiasedOverlap([1, 2, 3], [1, 2, 3])).toBeCloseTo(1, 12);
    expect(rankBiasedOverlap(['a', 'b'], ['c', 'd'])).toBe(0);
  });

  it('weights the begin: the sum of shared shares at every depth', () => {
    const p = 0.9;
    // Shared at depths 1, 2, 3: 0, 2, 3.
    const sum = (2 / 2) * p ** 2 + (3 / 3) * p ** 3;
    const expected = p ** 3 + ((1 - p) / p) * sum;
    expect(rankBiasedOverlap(['a', 'b', 'c'], ['b', 'a', 'c'], p)).toBeCloseTo(expected, 12);
  });

  it('refuses rankings that are none', () => {
    expect(() => rankBiasedOverlap([], [])).toThrow(/0 and 0 items/);
    expect(() => rankBiasedOverlap([1, 1], [1, 2])).toThrow(/stands twice/);
    expect(() => rankBiasedOverlap([1], [1], 1)).toThrow(/persistence is 1/);
  });
});
