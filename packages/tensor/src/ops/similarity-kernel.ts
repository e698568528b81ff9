import type { KernelModule } from '../kernel-module.js';
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
import { pairValues } from './similarity-pairs.js';
import { createRowReader, type RowReader, sizeOf } from './similarity-rows.js';

interface Walk {
  kernels: KernelModule;
  inputs: SimilarityInputs;
  rowTotal: number;
  columnTotal: number;
  width: number;
  readers: { left: readonly RowReader[]; right: readonly RowReader[] };
  /** Where blocks are computed that are not kept. */
  shared: HeapArray<Float32Array>;
  /** Blocks kept for the next walk, by their place in the order. */
  kept: Map<number, HeapArray<Float32Array>>;
  keep(size: number): HeapArray<Float32Array> | null;
}

/** Blocks computed and scanned by our kernels in one reused buffer. */
export function kernelBlocks(kernels: KernelModule, inputs: SimilarityInputs): SimilarityBlocks {
  const [rowTotal, width] = sizeOf(inputs.left[0]!);
  const [columnTotal] = sizeOf(inputs.right[0]!);
  const readers = {
    left: inputs.left.map((rows) => createRowReader(kernels, rows)),
    right: inputs.right.map((rows) => createRowReader(kernels, rows)),
  };
  const heap = createHeap(kernels);
  const { block } = inputs;
  const shared = heap.floats(Math.min(block.rows, rowTotal) * Math.min(block.columns, columnTotal));
  let budget = inputs.cacheBytes;
  const keep = (size: number) => {
    if (budget < 4 * size) return null;
    budget -= 4 * size;
    return heap.floats(size);
  };
  const size = { rowTotal, columnTotal, width };
  const walk = { kernels, inputs, ...size, readers, shared, kept: new Map(), keep };
  return {
    pairs: async (counterparts) => withHeap(kernels, (own) => pairValues(walk, own, counterparts)),
    best: (wanted) => withAsyncHeap(kernels, (own) => bestOf(walk, own, wanted)),
    count: (rows, columns) =>
      withAsyncHeap(kernels, (own) => countAll(walk, own, { rows, columns })),
    dispose: () => {
      for (const reader of [...readers.left, ...readers.right]) reader.dispose();
      heap.free();
    },
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

/** Columns of a tile, about; threads share the tiles of a block. */
const tileColumns = 256;

/** Rows that a thread scans at once. */
const scanRows = 32;

const tilesOf = (columns: number) => Math.ceil(columns / tileColumns);

/** The similarities of a range, summed over the samples. */
function computeBlock(walk: Walk, range: BlockRange): HeapArray<Float32Array> {
  const { kernels, readers, width } = walk;
  const { rowCount, rowStart, columnCount, columnStart } = range;
  const block = walk.keep(rowCount * columnCount) ?? walk.shared;
  const tiles = tilesOf(columnCount);
  readers.left.forEach((left, sample) => {
    const right = readers.right[sample] ?? left;
    kernels.callBlocks(
      { kernel: 'similarity_tiles', count: tiles, block: 1 },
      ...[tiles, rowCount, columnCount, width],
      left.addressOf(rowStart, rowCount),
      right.addressOf(columnStart, columnCount),
      ...[block.at(), sample > 0 ? 1 : 0],
    );
  });
  return block;
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
    const shift = shifts?.at(columnStart) ?? 0;
    const ownRow = rowStart * rows.k;
    if (rows.k > 0) {
      kernels.callBlocks(
        { kernel: 'best_of_rows', count: rowCount, block: scanRows },
        ...[columnCount, block.at(), shift, columnStart],
        ...[rows.k, rows.values.at(ownRow), rows.indices.at(ownRow)],
      );
    }
    if (columns.k === 0) return;
    const tiles = tilesOf(columnCount);
    kernels.callBlocks(
      { kernel: 'best_of_columns', count: tiles, block: 1 },
      ...[tiles, rowCount, columnCount, block.at(), shift, rowStart, columns.k, columnTotal],
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
    kernels.callBlocks(
      { kernel: 'count_rows', count: rowCount, block: scanRows },
      ...[columnCount, block.at(), rows.shifts.at(columnStart), rows.limits.at(rowStart)],
      ...[rows.above.at(rowStart), rows.equal.at(rowStart)],
    );
    const tiles = tilesOf(columnCount);
    kernels.callBlocks(
      { kernel: 'count_columns', count: tiles, block: 1 },
      ...[tiles, rowCount, columnCount, block.at(), columns.shifts.at(rowStart)],
      columns.limits.at(columnStart),
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
