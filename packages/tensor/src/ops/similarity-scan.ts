import { tf } from '../tfjs.js';
import {
  type Best,
  type BlockRange,
  blockRanges,
  breathe,
  type Counts,
  emptyBest,
  type SimilarityBlocks,
  type SimilarityInputs,
  type Threshold,
} from './similarity-blocks.js';

/** Blocks computed by the backend's product and scanned here, for backends without our kernels. */
export function scannedBlocks({ left, right, signal, block }: SimilarityInputs): SimilarityBlocks {
  const rowTotal = left[0]?.shape[0] ?? 0;
  const columnTotal = right[0]?.shape[0] ?? 0;
  const eachBlock = async (visit: (values: Float32Array, range: BlockRange) => void) => {
    for (const range of blockRanges({ rowTotal, columnTotal }, block)) {
      await breathe(signal);
      visit(await blockValues(left, right, range), range);
    }
  };
  return {
    pairs: (counterparts) => pairValues(left, right, counterparts),
    async best({ rowK, columnK, columnShifts }) {
      const rows = emptyBest(rowTotal, rowK);
      const columns = emptyBest(columnTotal, columnK);
      await eachBlock((values, range) => {
        const reader = (row: number, column: number) =>
          Math.fround(
            (values[row * range.columnCount + column] ?? 0) -
              (columnShifts?.[range.columnStart + column] ?? 0),
          );
        if (rowK > 0) updateRows(rows, rowK, { range, reader });
        if (columnK > 0) updateColumns(columns, columnK, { range, reader });
      });
      return { rows, columns };
    },
    async count(rows, columns) {
      const counts = { rows: emptyCounts(rowTotal), columns: emptyCounts(columnTotal) };
      await eachBlock((values, range) => countBlock(values, { range, rows, columns, counts }));
      return counts;
    },
    dispose() {},
  };
}

function emptyCounts(lineCount: number): Counts {
  return { above: new Int32Array(lineCount), equal: new Int32Array(lineCount) };
}

function sumOfProducts(left: readonly tf.Tensor2D[], right: readonly tf.Tensor2D[]): tf.Tensor2D {
  return left
    .map((rows, sample) => tf.matMul<tf.Tensor2D>(rows, right[sample] as tf.Tensor2D, false, true))
    .reduce((sum, product) => tf.add<tf.Tensor2D>(sum, product));
}

async function blockValues(
  left: readonly tf.Tensor2D[],
  right: readonly tf.Tensor2D[],
  range: BlockRange,
): Promise<Float32Array> {
  const block = tf.tidy(() =>
    sumOfProducts(
      left.map((x) => tf.slice(x, [range.rowStart, 0], [range.rowCount, -1])),
      right.map((x) => tf.slice(x, [range.columnStart, 0], [range.columnCount, -1])),
    ),
  );
  try {
    return (await block.data()) as Float32Array;
  } finally {
    block.dispose();
  }
}

/** Rows whose pair similarities are read off the diagonal of one small product. */
const pairRows = 64;

async function pairValues(
  left: readonly tf.Tensor2D[],
  right: readonly tf.Tensor2D[],
  counterparts: Int32Array,
): Promise<Float32Array> {
  const values = new Float32Array(counterparts.length);
  for (let start = 0; start < values.length; start += pairRows) {
    const columns = counterparts.slice(start, start + pairRows).map((c) => Math.max(c, 0));
    const product = tf.tidy(() =>
      sumOfProducts(
        left.map((x) => tf.slice(x, [start, 0], [columns.length, -1])),
        right.map((x) => tf.gather(x, tf.tensor1d(columns, 'int32'))),
      ),
    );
    const data = await product.data();
    product.dispose();
    columns.forEach((_, row) => {
      const known = (counterparts[start + row] ?? -1) >= 0;
      values[start + row] = known ? (data[row * columns.length + row] ?? 0) : 0;
    });
  }
  return values;
}

interface Scan {
  range: BlockRange;
  reader: (row: number, column: number) => number;
}

function insert(best: Best, line: { offset: number; k: number }, value: number, index: number) {
  const { values, indices } = best;
  let at = line.offset + line.k - 1;
  if (!(value > (values[at] ?? 0))) return;
  for (; at > line.offset && value > (values[at - 1] ?? 0); at -= 1) {
    values[at] = values[at - 1] ?? 0;
    indices[at] = indices[at - 1] ?? 0;
  }
  values[at] = value;
  indices[at] = index;
}

function updateRows(best: Best, k: number, { range, reader }: Scan): void {
  for (let row = 0; row < range.rowCount; row += 1) {
    const line = { offset: (range.rowStart + row) * k, k };
    for (let column = 0; column < range.columnCount; column += 1) {
      insert(best, line, reader(row, column), range.columnStart + column);
    }
  }
}

function updateColumns(best: Best, k: number, { range, reader }: Scan): void {
  for (let column = 0; column < range.columnCount; column += 1) {
    const line = { offset: (range.columnStart + column) * k, k };
    for (let row = 0; row < range.rowCount; row += 1) {
      insert(best, line, reader(row, column), range.rowStart + row);
    }
  }
}

interface Counting {
  range: BlockRange;
  rows: Threshold;
  columns: Threshold;
  counts: { rows: Counts; columns: Counts };
}

function countBlock(values: Float32Array, { range, rows, columns, counts }: Counting): void {
  for (let i = 0; i < range.rowCount; i += 1) {
    const row = range.rowStart + i;
    for (let j = 0; j < range.columnCount; j += 1) {
      const column = range.columnStart + j;
      const value = values[i * range.columnCount + j] ?? 0;
      compare(value, { line: row, other: column, side: rows, counts: counts.rows });
      compare(value, { line: column, other: row, side: columns, counts: counts.columns });
    }
  }
}

interface Comparison {
  line: number;
  other: number;
  side: Threshold;
  counts: Counts;
}

function compare(value: number, { line, other, side, counts }: Comparison): void {
  if (side.counterparts[line] === other) return;
  const score = Math.fround(value - (side.shifts[other] ?? 0));
  const limit = side.limits[line] ?? Infinity;
  if (score > limit) counts.above[line] = (counts.above[line] ?? 0) + 1;
  else if (score === limit) counts.equal[line] = (counts.equal[line] ?? 0) + 1;
}
