import { describe, expect, it } from 'vitest';
import { compactColumns, csrRange, csrRows, distinctRows } from './csr-rows.js';

const matrix = {
  rowCount: 4,
  columnCount: 6,
  rowPointers: Int32Array.of(0, 2, 2, 5, 6),
  columns: Int32Array.of(5, 1, 1, 0, 3, 5),
  values: Float32Array.of(1, 2, 3, 4, 5, 6),
};

describe('csrRows', () => {
  it('takes rows in any order, also twice, and empty ones', () => {
    expect(csrRows(matrix, Int32Array.of(2, 1, 0, 2))).toEqual({
      rowCount: 4,
      columnCount: 6,
      rowPointers: Int32Array.of(0, 3, 3, 5, 8),
      columns: Int32Array.of(1, 0, 3, 5, 1, 1, 0, 3),
      values: Float32Array.of(3, 4, 5, 1, 2, 3, 4, 5),
    });
    const { values: _, ...pattern } = matrix;
    expect(csrRows(pattern, Int32Array.of(3))).not.toHaveProperty('values');
  });
});

describe('csrRange', () => {
  it('is csrRows of consecutive rows', () => {
    expect(csrRange(matrix, { start: 1, end: 4 })).toEqual(csrRows(matrix, Int32Array.of(1, 2, 3)));
    expect(csrRange(matrix, { start: 1, end: 2 }).columns).toHaveLength(0);
  });
});

describe('compactColumns', () => {
  it('numbers columns by first appearance and leaves the scratch as it was', () => {
    const scratch = new Int32Array(6);
    const { matrix: compact, columns } = compactColumns(matrix, scratch);
    expect(columns).toEqual(Int32Array.of(5, 1, 0, 3));
    expect(compact.columns).toEqual(Int32Array.of(0, 1, 1, 2, 3, 0));
    expect(compact.columnCount).toBe(4);
    expect(scratch).toEqual(new Int32Array(6));
  });
});

describe('distinctRows', () => {
  it('numbers rows by first appearance, by columns and values', () => {
    const some = csrRows(matrix, Int32Array.of(2, 1, 2, 0, 1, 3));
    expect(distinctRows(some)).toEqual({ numbers: Int32Array.of(0, 1, 0, 2, 1, 3), count: 4 });
    const pattern = { rowCount: 3, columnCount: 2, rowPointers: Int32Array.of(0, 1, 2, 3) };
    const columns = Int32Array.of(1, 1, 1);
    expect(distinctRows({ ...pattern, columns }).count).toBe(1);
    const values = Float32Array.of(2, 2, 3);
    expect(distinctRows({ ...pattern, columns, values }).numbers).toEqual(Int32Array.of(0, 0, 1));
  });
});
