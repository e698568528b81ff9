import { readFileSync } from 'node:fs';
import '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { eigh, qr, svd } from '../../src/linalg.js';

interface Case {
  rows: number;
  columns: number;
  data: number[];
  singularValues: number[];
  q: number[];
  r: number[];
  gram: number[];
  eigenvalues: number[];
}

const path = new URL('linalg.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Record<string, Case> };

/** Largest entries are below 20; both sides round at 1e-16 of the largest. */
const tolerance = { atol: 1e-12, rtol: 1e-12 };

describe.each(Object.entries(cases))('NumPy on the matrix "%s"', (name, golden) => {
  const { rows, columns, data } = golden;

  it('has the same singular values', () => {
    const { values } = svd({ rows, columns, data });
    expect(Array.from(values)).toBeClose(golden.singularValues, tolerance);
  });

  it('has the same eigenvalues', () => {
    const { values } = eigh({ rows, columns: rows, data: golden.gram });
    expect(Array.from(values)).toBeClose(golden.eigenvalues, tolerance);
  });

  it('has the same QR factors, up to the signs of numpy', () => {
    const { q, r } = qr({ rows, columns, data });
    // Where columns depend on each other, the remaining directions are free.
    if (name === 'low rank') {
      expect(Array.from(r.data.subarray(0, 2 * columns))).toBeClose(
        golden.r.slice(0, 2 * columns),
        tolerance,
      );
      return;
    }
    // The Hilbert matrix has condition number 1.5e7.
    const loose = name === 'hilbert' ? { atol: 1e-9, rtol: 0 } : tolerance;
    expect(Array.from(r.data)).toBeClose(golden.r, loose);
    expect(Array.from(q.data)).toBeClose(
      golden.q,
      name === 'graded' ? { ...loose, atol: 1e-10 } : loose,
    );
  });
});
