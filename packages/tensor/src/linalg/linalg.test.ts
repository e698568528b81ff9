import { describe, expect, it } from 'vitest';
import { eigh, type Matrix, multiply, qr, svd, transpose } from '../linalg.js';

const matrix = (rows: number, columns: number, data: number[]) => ({ rows, columns, data });
const rounded = (values: ArrayLike<number>, digits = 10) =>
  Array.from(values, (value) => Number(value.toFixed(digits)) + 0);

/** `u diag(values) v^T`. */
function product(u: Matrix, values: Float64Array, v: Matrix): Matrix {
  const scaled = { ...u, data: u.data.map((x, at) => x * values[at % u.columns]!) };
  return multiply(scaled, transpose(v));
}

describe('qr', () => {
  it('gives known factors, with a diagonal that is not negative', () => {
    const { q, r } = qr(matrix(2, 2, [3, 0, 4, 5]));
    expect(rounded(q.data)).toEqual([0.6, -0.8, 0.8, 0.6]);
    expect(rounded(r.data)).toEqual([5, 4, 0, 3]);
  });

  it('copes with zeros and with sizes 0 and 1', () => {
    const zero = qr(matrix(3, 2, [0, 0, 0, 0, 0, 0]));
    expect(rounded(zero.r.data)).toEqual([0, 0, 0, 0]);
    expect(rounded(multiply(transpose(zero.q), zero.q).data)).toEqual([1, 0, 0, 1]);
    expect(rounded(qr(matrix(1, 1, [-2])).r.data)).toEqual([2]);
    expect(qr(matrix(0, 3, [])).r).toEqual({ rows: 0, columns: 3, data: new Float64Array(0) });
  });

  it('does not overflow or underflow', () => {
    const huge = qr(matrix(2, 1, [3e200, 4e200]));
    expect(huge.r.data[0]! / 5e200).toBeCloseTo(1, 12);
    const tiny = qr(matrix(2, 1, [3e-200, 4e-200]));
    expect(tiny.r.data[0]! / 5e-200).toBeCloseTo(1, 12);
  });
});

describe('svd', () => {
  it('gives known values', () => {
    const { u, values, v } = svd(matrix(2, 3, [3, 2, 2, 2, 3, -2]));
    expect(rounded(values)).toEqual([5, 3]);
    expect([u.rows, u.columns, v.rows, v.columns]).toEqual([2, 2, 3, 2]);
    expect(rounded(product(u, values, v).data)).toEqual([3, 2, 2, 2, 3, -2]);
  });

  it('gives orthonormal vectors also where singular values are zero', () => {
    const { u, values, v } = svd(matrix(4, 3, [1, 2, 3, 2, 4, 6, 3, 6, 9, 0, 0, 0]));
    expect(rounded(values)).toEqual([14, 0, 0]);
    for (const basis of [u, v]) {
      expect(rounded(multiply(transpose(basis), basis).data)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    }
    const zero = svd(matrix(2, 2, [0, 0, 0, 0]));
    expect(rounded(zero.values)).toEqual([0, 0]);
    expect(rounded(multiply(transpose(zero.v), zero.v).data)).toEqual([1, 0, 0, 1]);
  });

  it('keeps small singular values exact beside large ones', () => {
    const { values } = svd(matrix(3, 3, [1e10, 0, 0, 0, 1e-10, 0, 0, 0, 1]));
    expect(Array.from(values)).toEqual([1e10, 1, 1e-10]);
    const tiny = svd(matrix(2, 1, [3e-200, 4e-200]));
    expect(tiny.values[0]! / 5e-200).toBeCloseTo(1, 12);
  });

  it('takes sizes 0 and 1', () => {
    expect(svd(matrix(0, 3, [])).values).toHaveLength(0);
    expect(Array.from(svd(matrix(1, 1, [-3])).values)).toEqual([3]);
  });
});

describe('eigh', () => {
  it('gives known values in ascending order', () => {
    const { values, vectors } = eigh(matrix(3, 3, [2, -1, 0, -1, 2, -1, 0, -1, 2]));
    expect(rounded(values)).toEqual(rounded([2 - Math.SQRT2, 2, 2 + Math.SQRT2]));
    expect(rounded(multiply(transpose(vectors), vectors).data)).toEqual([
      1, 0, 0, 0, 1, 0, 0, 0, 1,
    ]);
  });

  it('copes with diagonal, repeated and zero eigenvalues', () => {
    const diagonal = eigh(matrix(3, 3, [3, 0, 0, 0, -1, 0, 0, 0, 2]));
    expect(Array.from(diagonal.values)).toEqual([-1, 2, 3]);
    expect(rounded(eigh(matrix(3, 3, [1, 1, 1, 1, 1, 1, 1, 1, 1])).values)).toEqual([0, 0, 3]);
    expect(Array.from(eigh(matrix(2, 2, [0, 0, 0, 0])).values)).toEqual([0, 0]);
    expect(Array.from(eigh(matrix(1, 1, [7])).values)).toEqual([7]);
    expect(eigh(matrix(0, 0, [])).values).toHaveLength(0);
  });
});

describe('bad input', () => {
  it('is refused with its numbers', () => {
    expect(() => svd(matrix(2, 2, [1, 2, 3]))).toThrow('[2, 2] with 3 values');
    expect(() => qr(matrix(1.5, 2, [1, 2, 3]))).toThrow('[1.5, 2] with 3 values');
    expect(() => svd(matrix(1, 2, [1, Number.NaN]))).toThrow('has NaN in row 0, column 1');
    expect(() => eigh(matrix(1, 2, [1, 2]))).toThrow('needs a square matrix, not [1, 2]');
    expect(() => eigh(matrix(2, 2, [1, 2, 3, 4]))).toThrow('(1, 0) and (0, 1) differ by 1');
    const a = { rows: 2, columns: 2, data: new Float64Array(4) };
    expect(() => multiply(a, { ...a, rows: 1, columns: 4 })).toThrow('[2, 2] times [1, 4]');
  });
});
