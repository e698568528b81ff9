import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eigh, type Matrix, multiply, qr, svd, transpose } from '../../src/linalg.js';

const entry = fc.oneof(
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.constantFrom(0, 1, -1, 1e-9, 1e6),
);
const anyMatrix = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }))
  .chain(([rows, columns]) =>
    fc
      .array(entry, { minLength: rows * columns, maxLength: rows * columns })
      .map((data): Matrix => ({ rows, columns, data: Float64Array.from(data) })),
  );

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((max, value) => Math.max(max, Math.abs(value)), 0);

function distance(a: Matrix, b: Matrix): number {
  expect([a.rows, a.columns]).toEqual([b.rows, b.columns]);
  return largest(a.data.map((value, at) => value - b.data[at]!));
}

function distanceFromIdentity(basis: Matrix): number {
  const gram = multiply(transpose(basis), basis);
  return largest(gram.data.map((value, at) => value - (at % (gram.rows + 1) === 0 ? 1 : 0)));
}

function scaleColumns(matrix: Matrix, by: Float64Array): Matrix {
  return { ...matrix, data: matrix.data.map((value, at) => value * by[at % matrix.columns]!) };
}

describe('linear algebra', () => {
  it('qr: Q R = A, Q orthonormal, R upper triangular with diagonal >= 0', () => {
    fc.assert(
      fc.property(anyMatrix, (a) => {
        const { q, r } = qr(a);
        expect(distance(multiply(q, r), a)).toBeLessThan(1e-10 * (1 + largest(a.data)));
        expect(distanceFromIdentity(q)).toBeLessThan(1e-10);
        for (let i = 0; i < r.rows; i += 1) {
          expect(r.data[i * r.columns + i]).toBeGreaterThanOrEqual(0);
          for (let j = 0; j < i; j += 1) expect(r.data[i * r.columns + j]).toBe(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('svd: U S V^T = A, both bases orthonormal, values descending', () => {
    fc.assert(
      fc.property(anyMatrix, (a) => {
        const { u, values, v } = svd(a);
        const back = multiply(scaleColumns(u, values), transpose(v));
        expect(distance(back, a)).toBeLessThan(1e-10 * (1 + largest(a.data)));
        expect(distanceFromIdentity(u)).toBeLessThan(1e-10);
        expect(distanceFromIdentity(v)).toBeLessThan(1e-10);
        expect(Array.from(values)).toEqual(Array.from(values).sort((x, y) => y - x));
        expect(values.every((value) => value >= 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('eigh: V L V^T = A, V orthonormal, the trace is the sum of the values', () => {
    fc.assert(
      fc.property(anyMatrix, (half) => {
        const a = multiply(half, transpose(half));
        const { values, vectors } = eigh(a);
        const back = multiply(scaleColumns(vectors, values), transpose(vectors));
        const scale = 1 + largest(a.data);
        expect(distance(back, a)).toBeLessThan(1e-10 * scale);
        expect(distanceFromIdentity(vectors)).toBeLessThan(1e-10);
        const trace = a.data.reduce((sum, x, at) => (at % (a.rows + 1) === 0 ? sum + x : sum), 0);
        expect(Math.abs(values.reduce((x, y) => x + y, 0) - trace)).toBeLessThan(1e-10 * scale);
      }),
      { numRuns: 200 },
    );
  });
});
