import { createRandom } from '@lab/core';
import { qr } from '@lab/tensor/linalg';
import { describe, expect, it } from 'vitest';
import '@lab/core/testing';
import { principalAngles, safetySubspace, type StateRows, subspaceShift } from './subspace.js';

const rowsOf = (rows: readonly (readonly number[])[]): StateRows => ({
  ...{ rowCount: rows.length, width: rows[0]!.length, data: Float64Array.from(rows.flat()) },
});

// Angles and singular values of these two were computed with NumPy.
const first = rowsOf([
  [3, 0, 1],
  [2, 1, 0],
  [1, 0, 2],
  [0, 2, 1],
]);
const second = rowsOf([
  [3, 0, 1],
  [2, 1, 0],
  [0, 3, 0],
  [0, 2, 1],
]);

const degrees = (radians: Float64Array) => Array.from(radians, (one) => (one * 180) / Math.PI);

describe('subspaces of states', () => {
  it('have the singular values of NumPy', () => {
    const of = (states: StateRows) => safetySubspace(states).values.subarray(0, 3);
    expect(of(first)).toBeClose([4.12310563, 2.23606798, 1.73205081], { atol: 1e-8 });
    expect(of(second)).toBeClose([4.04852429, 3.39730055, 1.0333441], { atol: 1e-8 });
  });

  it('turn by the angles of NumPy: left of rank 1 and 2, right of rank 1', () => {
    const shift = (options: Parameters<typeof safetySubspace>[1]) =>
      subspaceShift(safetySubspace(first, options), safetySubspace(second, options));
    expect(shift({})).toBeCloseTo(18.32331005, 7);
    expect(shift({ rank: 2 })).toBeCloseTo(3.95440796 + 42.26135002, 7);
    expect(shift({ side: 'right' })).toBeCloseTo(34.85142525, 7);
  });

  it('that lose a direction turn by a right angle for it', () => {
    const plane = safetySubspace(first, { rank: 2 });
    const line = safetySubspace(rowsOf([1, 2, 3, 4].map((row) => [row, 2 * row, 0])), { rank: 2 });
    expect([plane.rank, line.rank]).toEqual([2, 1]);
    const [angle] = degrees(principalAngles(plane.basis, line.basis));
    expect(subspaceShift(plane, line)).toBeCloseTo(angle! + 90, 9);
    expect(subspaceShift(line, plane)).toBeCloseTo(angle! + 90, 9);
  });

  it('of centred states have no part along the mean', () => {
    const { basis } = safetySubspace(first, { center: true });
    expect(basis.data.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 12);
  });

  it('have as many directions as there are, and say how well they are told apart', () => {
    const line = rowsOf([
      [1, 2],
      [2, 4],
      [3, 6],
    ]);
    expect(safetySubspace(line, { rank: 2 })).toMatchObject({ rank: 1, askedRank: 2 });
    expect(safetySubspace(line).gap).toBeCloseTo(1, 6);
    const square = rowsOf([
      [1, 0],
      [0, 1],
    ]);
    expect(safetySubspace(square).gap).toBeCloseTo(0, 12);
  });

  it('of one prompt, or of nothing but zeros, are refused', () => {
    expect(() => safetySubspace(rowsOf([[1, 2]]))).toThrow(/1 prompt, two are needed/);
    const zeros = rowsOf([
      [0, 0],
      [0, 0],
    ]);
    expect(() => safetySubspace(zeros)).toThrow(/all states are 0/);
  });
});

describe('principal angles', () => {
  it('far below what a cosine can tell are found', () => {
    for (const angle of [1e-3, 1e-6, 1e-9, 1e-12]) {
      const a = { rows: 3, columns: 1, data: [1, 0, 0] };
      const b = { rows: 3, columns: 1, data: [Math.cos(angle), Math.sin(angle), 0] };
      const [found] = principalAngles(a, b);
      expect(found! / angle).toBeCloseTo(1, 6);
    }
  });

  it('do not depend on the bases, and are those of the planes', () => {
    const random = createRandom(5).fork('bases');
    const basisOf = (columns: number) => {
      const data = Float64Array.from({ length: 12 * columns }, () => random.normal());
      return qr({ rows: 12, columns, data }).q;
    };
    const [a, b] = [basisOf(3), basisOf(2)];
    const turned = {
      ...a,
      data: a.data.map((value, at) => (at % 3 === 1 ? -value : value)),
    };
    const angles = principalAngles(a, b);
    expect(angles).toHaveLength(2);
    expect(angles[0]!).toBeLessThanOrEqual(angles[1]!);
    principalAngles(turned, b).forEach((one, at) => expect(one).toBeCloseTo(angles[at]!, 12));
    principalAngles(b, a).forEach((one, at) => expect(one).toBeCloseTo(angles[at]!, 12));
    expect(degrees(principalAngles(a, a))).toEqual([0, 1, 2].map(() => expect.closeTo(0, 6)));
  });

  it('of spaces of different size are refused', () => {
    const line = (rows: number) => ({ rows, columns: 1, data: [1, ...Array(rows - 1).fill(0)] });
    expect(() => principalAngles(line(3), line(4))).toThrow(/3 and 4 rows/);
  });
});
