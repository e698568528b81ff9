import { addressOf, type KernelModule } from '../wasm-backend.js';
import { createHeap, type Heap, type HeapArray, withHeap } from './heap.js';
import {
  type Best,
  type BlockRange,
  blockRanges,
  breathe,
  type Counts,
  type SimilarityBlocks,
  type SimilarityInputs,
  type Threshold,
} from './similarity-blocks.js';

interface Walk {
  kernels: KernelModule;
  inputs: SimilarityInputs;
  rowTotal: number;
  columnTotal: number;
  width: number;
  /** Where blocks are computed that are not kept. */
  shared: HeapArray<Float32Array>;
  /** Blocks kept for the next walk, by their place in the order. */
  kept: Map<number, HeapArray<Float32Array>>;
  keep(size: number): HeapArray<Float32Array> | null;
}

/** Blocks computed and scanned by our kernels in one reused buffer. */
export function kernelBlocks(kernels: KernelModule, inputs: SimilarityInputs): SimilarityBlocks {
  const [rowTotal = 0, width = 0] = inputs.left[0]?.shape ?? [];
  const columnTotal = inputs.right[0]?.shape[0] ?? 0;
  const heap = createHeap(kernels);
  const { block } = inputs;
  const shared = heap.floats(Math.min(block.rows, rowTotal) * Math.min(block.columns, columnTotal));
  let budget = inputs.cacheBytes;
  const keep = (size: number) => {
    if (budget < 4 * size) return null;
    budget -= 4 * size;
    return heap.floats(size);
  };
  const walk = { kernels, inputs, rowTotal, columnTotal, width, shared, kept: new Map(), keep };
  return {
    pairs: async (counterparts) => withHeap(kernels, (own) => pairValues(walk, own, counterparts)),
    best: (wanted) => withAsyncHeap(kernels, (own) => bestOf(walk, own, wanted)),
    count: (rows, columns) =>
      withAsyncHeap(kernels, (own) => countAll(walk, own, { rows, columns })),
    dispose: heap.free,
  };
}

async function withAsyncHeap<T>(
  kernels: KernelModule,
  body: (heap: Heap) => Promise<T>,
): Promise<T> {
  const heap = createHeap(kernels);
  try {
    return await body(heap);
  } finally {
    heap.free();
  }
}

type Visit = (range: BlockRange, block: HeapArray<Float32Array>) => void;

async function eachBlock(walk: Walk, visit: Visit): Promise<void> {
  let place = 0;
  for (const range of blockRanges(walk, walk.inputs.block)) {
    await breathe(walk.inputs.signal);
    const block = walk.kept.get(place) ?? computeBlock(walk, range);
    if (block !== walk.shared) walk.kept.set(place, block);
    visit(range, block);
    place += 1;
  }
}

/** The similarities of a range, summed over the samples. */
function computeBlock(walk: Walk, range: BlockRange): HeapArray<Float32Array> {
  const { kernels, inputs, width } = walk;
  const block = walk.keep(range.rowCount * range.columnCount) ?? walk.shared;
  inputs.left.forEach((left, sample) => {
    const right = inputs.right[sample] ?? left;
    kernels.call(
      'block_gemm',
      ...[range.rowCount, range.columnCount, width],
      ...[addressOf(kernels, left) + 4 * range.rowStart * width, width, 0],
      ...[addressOf(kernels, right) + 4 * range.columnStart * width, width, 1],
      ...[block.at(), range.columnCount, sample > 0 ? 1 : 0, kernels.scratch],
    );
  });
  return block;
}

/** Rows whose pair similarities are read off the diagonal of one small product. */
const pairRows = 48;

function pairValues(walk: Walk, heap: Heap, counterparts: Int32Array): Float32Array {
  const { kernels, inputs, width } = walk;
  const gathered = heap.floats(pairRows * width);
  const product = heap.floats(pairRows * pairRows);
  const known = heap.ints(Math.max(counterparts.length, 1));
  known.view().set(counterparts.map((column) => Math.max(column, 0)));
  const values = new Float32Array(counterparts.length);
  for (let start = 0; start < values.length; start += pairRows) {
    const count = Math.min(pairRows, values.length - start);
    inputs.left.forEach((left, sample) => {
      const right = addressOf(kernels, inputs.right[sample] ?? left);
      kernels.call('gather_rows', count, width, right, known.at(start), gathered.at());
      kernels.call(
        'block_gemm',
        ...[count, count, width, addressOf(kernels, left) + 4 * start * width, width, 0],
        ...[gathered.at(), width, 1, product.at(), count, sample > 0 ? 1 : 0, kernels.scratch],
      );
    });
    const view = product.view();
    for (let row = 0; row < count; row += 1) {
      const isKnown = (counterparts[start + row] ?? -1) >= 0;
      values[start + row] = isKnown ? (view[row * (count + 1)] ?? 0) : 0;
    }
  }
  return values;
}

interface Table {
  k: number;
  values: HeapArray<Float32Array>;
  indices: HeapArray<Int32Array>;
}

function createTable(heap: Heap, lineCount: number, k: number): Table {
  const values = heap.floats(lineCount * k, -Infinity);
  return { k, values, indices: heap.ints(lineCount * k, -1) };
}

async function bestOf(
  walk: Walk,
  heap: Heap,
  wanted: { rowK: number; columnK: number; columnShifts?: Float32Array },
): Promise<{ rows: Best; columns: Best }> {
  const { kernels, rowTotal, columnTotal } = walk;
  const rows = createTable(heap, rowTotal, wanted.rowK);
  const columns = createTable(heap, columnTotal, wanted.columnK);
  const shifts = wanted.columnShifts ? heap.floats(columnTotal) : null;
  if (wanted.columnShifts) shifts?.view().set(wanted.columnShifts);
  await eachBlock(walk, ({ rowStart, rowCount, columnStart, columnCount }, block) => {
    const ownRow = rowStart * rows.k;
    kernels.call(
      'scan_best',
      ...[rowCount, columnCount, block.at(), shifts?.at(columnStart) ?? 0],
      ...[rowStart, rows.k, rows.values.at(ownRow), rows.indices.at(ownRow)],
      ...[columnStart, columns.k, columnTotal],
      ...[columns.values.at(columnStart), columns.indices.at(columnStart)],
    );
  });
  return {
    rows: { values: rows.values.view().slice(), indices: rows.indices.view().slice() },
    columns: byLine(columns, columnTotal),
  };
}

/** The columns' table `[k, columns]` as `[columns, k]`. */
function byLine({ k, values, indices }: Table, lineCount: number): Best {
  const [from, fromIndices] = [values.view(), indices.view()];
  const best = { values: new Float32Array(lineCount * k), indices: new Int32Array(lineCount * k) };
  for (let line = 0; line < lineCount; line += 1) {
    for (let rank = 0; rank < k; rank += 1) {
      best.values[line * k + rank] = from[rank * lineCount + line] ?? 0;
      best.indices[line * k + rank] = fromIndices[rank * lineCount + line] ?? 0;
    }
  }
  return best;
}

interface Side {
  shifts: HeapArray<Float32Array>;
  limits: HeapArray<Float32Array>;
  above: HeapArray<Int32Array>;
  equal: HeapArray<Int32Array>;
}

function createSide(heap: Heap, { shifts, limits }: Threshold): Side {
  const copy = (values: Float32Array) => {
    const array = heap.floats(values.length);
    array.view().set(values);
    return array;
  };
  const [above, equal] = [heap.ints(limits.length, 0), heap.ints(limits.length, 0)];
  return { shifts: copy(shifts), limits: copy(limits), above, equal };
}

async function countAll(
  walk: Walk,
  heap: Heap,
  thresholds: { rows: Threshold; columns: Threshold },
): Promise<{ rows: Counts; columns: Counts }> {
  const { kernels } = walk;
  const rows = createSide(heap, thresholds.rows);
  const columns = createSide(heap, thresholds.columns);
  await eachBlock(walk, (range, block) => {
    const { rowStart, rowCount, columnStart, columnCount } = range;
    kernels.call(
      'scan_counts',
      ...[rowCount, columnCount, block.at(), rows.limits.at(rowStart)],
      ...[rows.shifts.at(columnStart), rows.above.at(rowStart), rows.equal.at(rowStart)],
      ...[columns.limits.at(columnStart), columns.shifts.at(rowStart)],
      ...[columns.above.at(columnStart), columns.equal.at(columnStart)],
    );
    const values = block.view();
    const at = (row: number, column: number) =>
      values[(row - rowStart) * columnCount + column - columnStart] ?? 0;
    const ownRows = { start: rowStart, count: rowCount };
    const ownColumns = { start: columnStart, count: columnCount };
    takeBack(rows, thresholds.rows, { lines: ownRows, others: ownColumns, at });
    const turned = (column: number, row: number) => at(row, column);
    takeBack(columns, thresholds.columns, { lines: ownColumns, others: ownRows, at: turned });
  });
  const read = ({ above, equal }: Side): Counts => ({
    above: above.view().slice(),
    equal: equal.view().slice(),
  });
  return { rows: read(rows), columns: read(columns) };
}

interface Lines {
  start: number;
  count: number;
}

interface Reader {
  lines: Lines;
  others: Lines;
  at(line: number, other: number): number;
}

/** Undoes the counts that the true counterparts in this block got as candidates. */
function takeBack(side: Side, threshold: Threshold, { lines, others, at }: Reader): void {
  const [above, equal] = [side.above.view(), side.equal.view()];
  for (let line = lines.start; line < lines.start + lines.count; line += 1) {
    const other = threshold.counterparts[line] ?? -1;
    if (other < others.start || other >= others.start + others.count) continue;
    const score = Math.fround(at(line, other) - (threshold.shifts[other] ?? 0));
    const limit = threshold.limits[line] ?? Infinity;
    if (score > limit) above[line] = (above[line] ?? 0) - 1;
    else if (score === limit) equal[line] = (equal[line] ?? 0) - 1;
  }
}
