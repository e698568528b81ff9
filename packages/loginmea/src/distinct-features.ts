/**
 * Sparse features whose equal rows stand once: many entities carry the same relations or the same
 * attributes, and all that is computed of one modality alone is the same for them.
 */
import { createCsr, type CsrTensors, tf } from '@lab/tensor';
import type { Features } from './encoders.js';

/** Distinct rows of features, and which of them each entity has. */
export interface DistinctFeatures {
  /** `[U, F]`. */
  readonly rows: CsrTensors;
  /** `[N, U]`: row i has one entry, in the column of entity i's row. */
  readonly spread: CsrTensors;
}

/** Largest share of distinct rows at which it pays to keep them apart. */
const WORTHWHILE = 0.5;

/**
 * The distinct rows of sparse features, numbered by first appearance; null for dense features, and
 * where more than half of the rows are distinct.
 *
 * @param features - `[N, F]`; they stay the caller's.
 * @returns tensors that outlive `tf.tidy`: dispose both parts.
 */
export function distinctFeatures(features: Features): DistinctFeatures | null {
  if (features instanceof tf.Tensor) return null;
  const [pointers, columns] = [features.rowPointers.dataSync(), features.columns.dataSync()];
  const values = features.values?.dataSync() ?? null;
  const limit = WORTHWHILE * features.rowCount;
  const numbers = new Map<string, number>();
  const firsts: number[] = [];
  const places = new Int32Array(features.rowCount);
  for (let row = 0; row < places.length; row += 1) {
    const [start, end] = [pointers[row]!, pointers[row + 1]!];
    const key = `${columns.subarray(start, end)} ${values?.subarray(start, end) ?? ''}`;
    const known = numbers.get(key);
    places[row] = known ?? firsts.length;
    if (known !== undefined) continue;
    if (firsts.length + 1 > limit) return null;
    numbers.set(key, firsts.length);
    firsts.push(row);
  }
  return {
    rows: createCsr(chosenRows({ pointers, columns, values }, firsts, features.columnCount)),
    spread: createCsr({
      rowCount: places.length,
      columnCount: firsts.length,
      rowPointers: Int32Array.from({ length: places.length + 1 }, (_, row) => row),
      columns: places,
    }),
  };
}

interface HostRows {
  readonly pointers: ArrayLike<number>;
  readonly columns: ArrayLike<number>;
  readonly values: ArrayLike<number> | null;
}

/** Some rows of a sparse matrix, in the given order. */
function chosenRows(
  { pointers, columns, values }: HostRows,
  rows: readonly number[],
  columnCount: number,
) {
  const entries = rows.flatMap((row) => {
    const [start, end] = [pointers[row]!, pointers[row + 1]!];
    return Array.from({ length: end - start }, (_, e) => start + e);
  });
  const rowPointers = new Int32Array(rows.length + 1);
  rows.forEach((row, at) => {
    rowPointers[at + 1] = rowPointers[at]! + pointers[row + 1]! - pointers[row]!;
  });
  return {
    rowCount: rows.length,
    columnCount,
    rowPointers,
    columns: Int32Array.from(entries, (e) => columns[e]!),
    ...(values === null ? {} : { values: Float32Array.from(entries, (e) => values[e]!) }),
  };
}
