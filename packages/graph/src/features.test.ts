import { join } from 'node:path';
import type { CsrArrays } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallFolder } from './__fixtures__/small-folder.js';
import { readAlignmentFolder } from './alignment-folder.js';
import { countMatrix, neighbourGraph } from './csr.js';
import { attributeFeatures, relationFeatures, scaleFeatures } from './features.js';
import type { AlignmentData } from './knowledge-graph.js';
import { normalizeAdjacency } from './normalize.js';

const sample = join(import.meta.dirname, '../../alignment/data/en-fr-3k');

/** The matrix with all its zeros. */
function dense(matrix: CsrArrays): number[][] {
  return Array.from({ length: matrix.rowCount }, (_, i) => {
    const row = new Array<number>(matrix.columnCount).fill(0);
    for (
      let e = matrix.rowPointers[i] as number;
      e < (matrix.rowPointers[i + 1] as number);
      e += 1
    ) {
      row[matrix.columns[e] as number] = matrix.values?.[e] ?? 1;
    }
    return row;
  });
}

let small: AlignmentData;
beforeAll(async () => {
  small = await readAlignmentFolder(smallFolder());
});

describe('countMatrix', () => {
  it('counts repetitions and sorts rows and columns', () => {
    const rows = Int32Array.of(2, 0, 2, 2);
    const columns = Int32Array.of(1, 1, 0, 1);
    const matrix = countMatrix({ rowCount: 4, columnCount: 2, rows, columns });
    expect([...matrix.rowPointers]).toEqual([0, 1, 1, 3, 3]);
    expect([...matrix.columns]).toEqual([1, 0, 1]);
    expect([...(matrix.values ?? [])]).toEqual([1, 1, 2]);
  });

  it('may be empty', () => {
    const none = new Int32Array(0);
    const matrix = countMatrix({ rowCount: 2, columnCount: 0, rows: none, columns: none });
    expect([...matrix.rowPointers]).toEqual([0, 0, 0]);
  });
});

describe('neighbourGraph', () => {
  it('has each neighbour once, in both directions', () => {
    const matrix = neighbourGraph(small, { selfLoops: false });
    expect(dense(matrix).map((row) => row.join(''))).toEqual([
      '011000',
      '100000',
      '100000',
      '000010',
      '000100',
      '000000',
    ]);
    expect(matrix.values).toBeUndefined();
  });

  it('adds each entity to its own row on request', () => {
    const matrix = neighbourGraph(small, { selfLoops: true });
    expect(dense(matrix).every((row, i) => row[i] === 1)).toBe(true);
    expect(matrix.columns).toHaveLength(6 + 6);
  });

  it('of EN-FR 3K has 31,071 ordered pairs', async () => {
    const data = await readAlignmentFolder(sample);
    expect(neighbourGraph(data, { selfLoops: false }).columns).toHaveLength(31_071);
  });
});

describe('relationFeatures', () => {
  it('counts at both ends, most frequent relation first, repeated triples again', () => {
    expect(dense(relationFeatures(small))).toEqual([
      [2, 1, 0],
      [0, 1, 0],
      [2, 0, 0],
      [0, 0, 1],
      [0, 0, 1],
      [0, 0, 0],
    ]);
  });

  it('keeps the most frequent columns, or pads', () => {
    const narrow = relationFeatures(small, { columns: 1 });
    expect(dense(narrow).flat()).toEqual([2, 0, 2, 0, 0, 0]);
    expect(relationFeatures(small, { columns: 5, pad: true }).columnCount).toBe(5);
    expect(relationFeatures(small, { columns: 5 }).columnCount).toBe(3);
  });

  it('breaks ties by the first triple, not by the number', () => {
    const { triples } = small;
    const relations = Int32Array.of(2, 0, 0, 2); // both twice, 2 is seen first
    const matrix = relationFeatures({ ...small, triples: { ...triples, relations } });
    expect(dense(matrix)[1]).toEqual([1, 0]);
  });

  it('scales', () => {
    const counts = relationFeatures(small);
    expect(dense(scaleFeatures(counts, 'log1p'))[0]?.[0]).toBeCloseTo(Math.log(3), 6);
    const lengths = dense(scaleFeatures(counts, 'l2')).map((row) => Math.hypot(...row));
    expect(lengths.map((value) => Math.round(value * 1e6) / 1e6)).toEqual([1, 1, 1, 1, 1, 0]);
    // relation 1 is at two of six entities
    expect(dense(scaleFeatures(counts, 'idf'))[0]?.[0]).toBeCloseTo(2 * Math.log(3), 6);
    expect([...(counts.values ?? [])].every(Number.isInteger)).toBe(true);
  });

  it('of EN-FR 3K has 253 columns and two counts per triple', async () => {
    const data = await readAlignmentFolder(sample);
    const matrix = relationFeatures(data);
    expect(matrix.columnCount).toBe(253);
    const sum = (matrix.values ?? new Float32Array(0)).reduce((a, b) => a + b, 0);
    expect(sum).toBe(2 * (11_325 + 11_105));
  });
});

describe('attributeFeatures', () => {
  it('is binary, the name of most entities first', () => {
    const matrix = attributeFeatures(small);
    expect(matrix && dense(matrix)).toEqual([
      [1, 1, 0],
      [0, 0, 0],
      [0, 0, 1],
      [1, 1, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('is cut, padded, or null', () => {
    expect(attributeFeatures(small, { columns: 2 })?.columnCount).toBe(2);
    expect(attributeFeatures(small, { columns: 9, pad: true })?.columnCount).toBe(9);
    expect(attributeFeatures({ ...small, attributes: null })).toBeNull();
  });
});

describe('normalizeAdjacency', () => {
  it('makes rows sum to one', () => {
    const matrix = normalizeAdjacency(neighbourGraph(small, { selfLoops: true }), 'row');
    for (const row of dense(matrix)) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  });

  it('divides by the roots of both degrees', () => {
    const matrix = dense(normalizeAdjacency(neighbourGraph(small, { selfLoops: false })));
    expect(matrix[0]?.[1]).toBeCloseTo(1 / Math.sqrt(2), 6);
    expect(matrix[1]?.[0]).toBeCloseTo(1 / Math.sqrt(2), 6);
    expect(matrix[5]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
