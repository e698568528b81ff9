import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import type { FeatureMatrix } from './feature-matrix.js';
import { crossProducts, gramMatrix, rbfKernel, subMatrix } from './gram.js';

function draw(rowCount: number, columnCount: number): FeatureMatrix {
  const random = createRandom(rowCount * 1000 + columnCount);
  const values = Float32Array.from({ length: rowCount * columnCount }, () => random.normal());
  return { rowCount, columnCount, values };
}

const dot = (a: FeatureMatrix, i: number, b: FeatureMatrix, j: number): number => {
  let sum = 0;
  for (let f = 0; f < a.columnCount; f += 1) {
    sum += a.values[i * a.columnCount + f]! * b.values[j * b.columnCount + f]!;
  }
  return sum;
};

describe('inner products', () => {
  it.each([
    [1, 1],
    [2, 3],
    [5, 256],
    [7, 257],
    [8, 600],
  ])('of %i rows of %i', (n, width) => {
    const rows = draw(n, width);
    const gram = gramMatrix(rows);
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j < n; j += 1) {
        expect(gram[i * n + j]).toBeCloseTo(dot(rows, i, rows, j), 9);
        expect(gram[i * n + j]).toBe(gram[j * n + i]);
      }
    }
  });

  it.each([
    [1, 1, 4],
    [3, 4, 300],
    [4, 3, 300],
    [5, 7, 9],
  ])('of %i rows with %i others', (m, n, width) => {
    const [a, b] = [draw(m, width), draw(n + 20, width)];
    const other = { ...b, rowCount: n, values: b.values.subarray(0, n * width) };
    const products = crossProducts(a, other);
    expect(products.length).toBe(m * n);
    products.forEach((value, at) => {
      expect(value).toBeCloseTo(dot(a, Math.floor(at / n), other, at % n), 9);
    });
  });

  it('become a radial basis kernel', () => {
    const rows = { rowCount: 2, columnCount: 1, values: Float64Array.of(1, 3) };
    const squares = Float64Array.of(1, 9);
    const kernel = rbfKernel(gramMatrix(rows), [squares, squares], 0.5);
    expect(Array.from(kernel)).toEqual([1, Math.exp(-2), Math.exp(-2), 1]);
    expect(() => rbfKernel(kernel, [squares, squares], 0)).toThrow(/gamma 0/);
  });

  it('of some rows and columns', () => {
    const part = subMatrix(Float64Array.of(0, 1, 2, 3, 4, 5), 3, { rows: [1], columns: [2, 0] });
    expect(Array.from(part)).toEqual([5, 3]);
  });

  it('refuse widths that differ', () => {
    expect(() => crossProducts(draw(2, 3), draw(2, 4))).toThrow(/3 and 4 wide/);
  });
});
