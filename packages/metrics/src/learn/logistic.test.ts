import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fitLogistic } from './logistic.js';

const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/logistic.json', import.meta.url), 'utf8'),
) as { rows: number[][]; labels: number[]; coefficients: number[]; intercept: number };

describe('fitLogistic', () => {
  it('agrees with scikit-learn', () => {
    const model = fitLogistic(golden.rows, golden.labels);
    golden.coefficients.forEach((expected, f) => {
      expect(model.coefficients[f]).toBeCloseTo(expected, 5);
    });
    expect(model.intercept).toBeCloseTo(golden.intercept, 5);
  });

  it('keeps the mean probability at the share of positives', () => {
    const model = fitLogistic(golden.rows, golden.labels);
    const mean = golden.rows.reduce((sum, row) => sum + model.probability(row), 0) / 40;
    const share = golden.labels.reduce((sum, label) => sum + label, 0) / 40;
    expect(mean).toBeCloseTo(share, 6);
  });

  it('stays finite on separable samples and ignores a constant feature', () => {
    const rows = Array.from({ length: 20 }, (_, i) => [i < 10 ? -1 - i : i, 3]);
    const labels = rows.map((_, i) => (i < 10 ? 0 : 1));
    const model = fitLogistic(rows, labels);
    expect(model.coefficients[1]).toBe(0);
    expect(model.probability([15, 3])).toBeGreaterThan(0.85);
    expect(model.probability([-8, 3])).toBeLessThan(0.15);
  });

  it('gives the base rate when every label is the same', () => {
    const model = fitLogistic([[1], [2], [3]], [1, 1, 1]);
    expect(model.probability([2])).toBeGreaterThan(0.95);
  });

  it('refuses rows of unequal width, no rows, and values that are not finite', () => {
    expect(() => fitLogistic([[1], [1, 2]], [0, 1])).toThrow(/row 1/);
    expect(() => fitLogistic([], [])).toThrow(/0 rows/);
    expect(() => fitLogistic([[Number.NaN]], [1])).toThrow(/row 0/);
  });
});
