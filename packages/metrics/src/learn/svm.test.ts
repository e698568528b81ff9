import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import type { FeatureMatrix } from './feature-matrix.js';
import { gramMatrix } from './gram.js';
import { fitSvm, fitSvmOnGram, svmPredict } from './svm.js';

const matrix = (rows: readonly number[][]): FeatureMatrix => ({
  rowCount: rows.length,
  columnCount: rows[0]!.length,
  values: Float64Array.from(rows.flat()),
});

/** Two clouds of points around -1 and 1 in each of `width` dimensions. */
function clouds(count: number, width: number, spread: number) {
  const random = createRandom(count);
  const labels = Array.from({ length: count }, (_, row) => row % 2);
  const rows = labels.map((label) =>
    Array.from({ length: width }, () => (label === 1 ? 1 : -1) + spread * random.normal()),
  );
  return { rows: matrix(rows), labels };
}

describe('fitSvm', () => {
  // The nearest points are (0, 0) and (2, 2): w = 2 (2, 2) / 8, alpha = 2 / 8, margin 2 sqrt(2).
  const rows = matrix([
    [0, 0],
    [0, -5],
    [2, 2],
    [5, 6],
  ]);

  it('finds the widest margin of a set that is solved by hand', () => {
    const { model, weights, decisions } = fitSvm(rows, [0, 0, 1, 1], { tolerance: 1e-9 });
    expect(Array.from(weights!, (w) => w.toFixed(6))).toEqual(['0.500000', '0.500000']);
    expect(model.intercepts[0]).toBeCloseTo(-1, 6);
    expect(Array.from(model.coefficients, (a) => Number(a.toFixed(6)))).toEqual([
      -0.25, 0, 0.25, 0,
    ]);
    expect(model.pairs[0]).toMatchObject({ supportCount: 2, converged: true });
    const scores = decisions(rows);
    expect(scores[0]).toBeCloseTo(-1, 6);
    expect(scores[2]).toBeCloseTo(1, 6);
  });

  it('stops multipliers at the cost, with the intercept in the middle', () => {
    const { model, weights } = fitSvm(matrix([[-1], [1]]), [0, 1], { cost: 0.25 });
    expect(Array.from(model.coefficients)).toEqual([-0.25, 0.25]);
    expect(weights![0]).toBe(0.5);
    expect(model.intercepts[0]).toBeCloseTo(0, 12);
  });

  it('keeps the conditions of optimality', () => {
    const { rows: wide, labels } = clouds(60, 5, 2);
    const tolerance = 1e-6;
    const { model, decisions } = fitSvm(wide, labels, { tolerance });
    decisions(wide).forEach((score, row) => {
      const alpha = Math.abs(model.coefficients[row]!);
      const margin = score * (labels[row] === 1 ? 1 : -1);
      if (alpha === 0) expect(margin).toBeGreaterThan(1 - 2 * tolerance);
      else if (alpha === 1) expect(margin).toBeLessThan(1 + 2 * tolerance);
      else expect(Math.abs(margin - 1)).toBeLessThan(2 * tolerance);
    });
    const balance = model.coefficients.reduce((sum, value) => sum + value, 0);
    expect(Math.abs(balance)).toBeLessThan(1e-9);
  });

  it('separates an exclusive or with the radial basis kernel alone', () => {
    const corners = matrix([
      [0, 0],
      [1, 1],
      [0, 1],
      [1, 0],
    ]);
    const labels = [0, 0, 1, 1];
    const curved = fitSvm(corners, labels, { kernel: 'rbf', gamma: 2, cost: 10 });
    expect(Array.from(curved.predict(corners))).toEqual(labels);
    expect(curved.weights).toBeNull();
    const straight = Array.from(fitSvm(corners, labels).predict(corners));
    expect(straight).not.toEqual(labels);
  });

  it('weights classes by how rare they are', () => {
    const line = matrix(Array.from({ length: 40 }, (_, row) => [row % 8]));
    const labels = Array.from({ length: 40 }, (_, row) => (row < 4 ? 1 : 0));
    const share = (classWeights: 'balanced' | 'equal') =>
      fitSvm(line, labels, { classWeights })
        .predict(line)
        .reduce((sum, label) => sum + label, 0);
    expect(share('equal')).toBe(0);
    expect(share('balanced')).toBeGreaterThan(0);
  });

  it('says one class where no feature varies', () => {
    const same = matrix(Array.from({ length: 9 }, () => [3, 3]));
    const { model, predict } = fitSvm(same, [0, 0, 0, 0, 0, 1, 1, 1, 1]);
    expect(model.converged).toBe(true);
    expect(new Set(predict(same)).size).toBe(1);
  });

  it('says when it was stopped early', () => {
    const { rows: wide, labels } = clouds(80, 3, 3);
    const stopped = fitSvmOnGram(gramMatrix(wide), labels, { maxIterations: 3 });
    expect(stopped.converged).toBe(false);
    expect(stopped.pairs[0]!.iterations).toBe(3);
  });

  it('gives equal votes to the first class', () => {
    const pairs = [
      [0, 1],
      [0, 2],
      [1, 2],
    ].map((classes) => ({
      classes: classes as [number, number],
      ...{ iterations: 0, converged: true, supportCount: 0 },
    }));
    const model = { classes: Int32Array.of(0, 1, 2), pairs };
    // 0 beats 1, 2 beats 0, 1 beats 2.
    expect(Array.from(svmPredict(model, Float64Array.of(-1, 1, -1)))).toEqual([0]);
    expect(Array.from(svmPredict(model, Float64Array.of(1, 1, -1)))).toEqual([1]);
  });

  it('refuses what it cannot fit', () => {
    expect(() => fitSvm(rows, [1, 1, 1, 1])).toThrow(/all 4 samples are of class 1/);
    expect(() => fitSvm(rows, [0, 1])).toThrow(/4 rows have 2 labels|2 labels/);
    expect(() => fitSvm(rows, [0, 0.5, 1, 1])).toThrow(/label 1 is 0.5/);
    expect(() => fitSvm(rows, [0, 0, 1, 1], { cost: 0 })).toThrow(/above 0/);
    const broken = { ...rows, values: Float64Array.from(rows.values, () => Number.NaN) };
    expect(() => fitSvm(broken, [0, 0, 1, 1])).toThrow(/row 0, column 0 is NaN/);
    expect(() => fitSvm({ ...rows, rowCount: 3 }, [0, 0, 1])).toThrow(/3 rows of 2/);
  });
});
