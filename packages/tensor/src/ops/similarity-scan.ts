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
import { pickRows, type RowSource, sizeOf, sliceRows } from './similarity-rows.js';

/** Blocks computed by the backend's product and scanned here, for backends without our kernels. */
export function scannedBlocks({ left, right, signal, block }: SimilarityInputs): SimilarityBlocks {
  const [rowTotal] = sizeOf(left[0]!);
  const [columnTotal] = sizeOf(right[0]!);
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
        if (columnShifts) shiftColumns(values, range, columnShifts);
        if (rowK > 0) updateRows(rows, rowK, { range, values });
        if (columnK > 0) updateColumns(columns, columnK, { range, values });
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
  left: readonly RowSource[],
  right: readonly RowSource[],
  range: BlockRange,
): Promise<Float32Array> {
  const block = tf.tidy(() =>
    sumOfProducts(
      left.map((x) => sliceRows(x, range.rowStart, range.rowCount)),
      right.map((x) => sliceRows(x, range.columnStart, range.columnCount)),
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
  left: readonly RowSource[],
  right: readonly RowSource[],
  counterparts: Int32Array,
): Promise<Float32Array> {
  const values = new Float32Array(counterparts.length);
  for (let start = 0; start < values.length; start += pairRows) {
    const columns = counterparts.slice(start, start + pairRows).map((c) => Math.max(c, 0));
    const product = tf.tidy(() =>
      sumOfProducts(
        left.map((x) => sliceRows(x, start, columns.length)),
        right.map((x) => pickRows(x, columns)),
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

/** Subtracts the shift of its column from every value of the block. */
function shiftColumns(values: Float32Array, range: BlockRange, shifts: Float32Array): void {
  const own = shifts.subarray(range.columnStart, range.columnStart + range.columnCount);
  for (let start = 0; start < values.length; start += own.length) {
    for (let j = 0; j < own.length; j += 1) {
      values[start + j] = (values[start + j] ?? 0) - (own[j] ?? 0);
    }
  }
}

interface Scan {
  range: BlockRange;
  values: Float32Array;
}

/** Puts a value that exceeds the last of a line into its place; returns the new last value. */
function insert(best: Best, line: { first: number; last: number }, entry: [number, number]) {
  const { values, indices } = best;
  const [value, index] = entry;
  let at = line.last;
  for (; at > line.first && value > (values[at - 1] ?? 0); at -= 1) {
    values[at] = values[at - 1] ?? 0;
    indices[at] = indices[at - 1] ?? 0;
  }
  values[at] = value;
  indices[at] = index;
  return values[line.last] ?? 0;
}

function updateRows(best: Best, k: number, { range, values }: Scan): void {
  for (let i = 0; i < range.rowCount; i += 1) {
    const first = (range.rowStart + i) * k;
    const line = { first, last: first + k - 1 };
    const start = i * range.columnCount;
    let lowest = best.values[line.last] ?? 0;
    for (let j = 0; j < range.columnCount; j += 1) {
      const value = values[start + j] ?? 0;
      if (value > lowest) lowest = insert(best, line, [value, range.columnStart + j]);
    }
  }
}

function updateColumns(best: Best, k: number, { range, values }: Scan): void {
  const lowest = new Float32Array(range.columnCount);
  for (let j = 0; j < lowest.length; j += 1) {
    lowest[j] = best.values[(range.columnStart + j + 1) * k - 1] ?? 0;
  }
  for (let i = 0; i < range.rowCount; i += 1) {
    const start = i * range.columnCount;
    for (let j = 0; j < lowest.length; j += 1) {
      const value = values[start + j] ?? 0;
      if (!(value > (lowest[j] ?? 0))) continue;
      const first = (range.columnStart + j) * k;
      lowest[j] = insert(best, { first, last: first + k - 1 }, [value, range.rowStart + i]);
    }
  }
}

interface Counting {
  range: BlockRange;
  rows: Threshold;
  columns: Threshold;
  counts: { rows: Counts; columns: Counts };
}

function countBlock(values: Float32Array, counting: Counting): void {
  const { range, rows, columns, counts } = counting;
  const across = { step: 1, lineStep: range.columnCount };
  const down = { step: range.columnCount, lineStep: 1 };
  const ownRows = { start: range.rowStart, count: range.rowCount };
  const ownColumns = { start: range.columnStart, count: range.columnCount };
  countLines(values, { ...across, lines: ownRows, others: ownColumns }, [rows, counts.rows]);
  countLines(values, { ...down, lines: ownColumns, others: ownRows }, [columns, counts.columns]);
}

interface Lines {
  start: number;
  count: number;
}

interface Layout {
  lines: Lines;
  others: Lines;
  /** Distance in the block of neighbours on a line, and of neighbouring lines. */
  step: number;
  lineStep: number;
}

function countLines(
  values: Float32Array,
  { lines, others, step, lineStep }: Layout,
  [threshold, counts]: [Threshold, Counts],
): void {
  const shifts = threshold.shifts.subarray(others.start, others.start + others.count);
  for (let i = 0; i < lines.count; i += 1) {
    const line = lines.start + i;
    const limit = threshold.limits[line] ?? Infinity;
    if (limit === Infinity) continue;
    const own = (threshold.counterparts[line] ?? -1) - others.start;
    let [above, equal] = [0, 0];
    for (let j = 0; j < others.count; j += 1) {
      const score = Math.fround((values[i * lineStep + j * step] ?? 0) - (shifts[j] ?? 0));
      if (score < limit || j === own) continue;
      if (score > limit) above += 1;
      else equal += 1;
    }
    counts.above[line] = (counts.above[line] ?? 0) + above;
    counts.equal[line] = (counts.equal[line] ?? 0) + equal;
  }
}
