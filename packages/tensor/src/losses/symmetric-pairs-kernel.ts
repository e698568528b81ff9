import { evenRanges, type Heap, type HeapArray, withHeap } from '../ops/heap.js';
import { tf } from '../tfjs.js';
import { addressOf, type KernelModule } from '../wasm-backend.js';
import type { JointGradient } from './joint-gradient.js';
import { defaultCacheBytes } from './paired-rows.js';
import type { SymmetricPairs } from './symmetric-pairs-problem.js';

/** Most rows of one side of a block, by default. */
const largestBlock = 1024;

/** Consecutive anchors of one side. */
interface Anchors {
  side: 0 | 1;
  start: number;
  count: number;
  /** Number of the first of them among all 2B anchors, left ones first. */
  first: number;
}

interface Pair {
  rows: Anchors;
  columns: Anchors;
  block: HeapArray<Float32Array>;
  isCached: boolean;
}

interface Run {
  kernels: KernelModule;
  problem: SymmetricPairs;
  heap: Heap;
  width: number;
  half: number;
  /** Positive similarity of each pair. */
  positives: Float32Array;
}

/** {@link SymmetricPairs} on our kernels: upper-triangle blocks, both sides from each. */
export function kernelSymmetricPairs(
  kernels: KernelModule,
  problem: SymmetricPairs,
): JointGradient {
  const [half, width] = problem.left.shape;
  const gradients = problem.wantGradients
    ? [tf.zeros<tf.Rank.R2>([half, width]), tf.zeros<tf.Rank.R2>([half, width])]
    : [];
  const value = withHeap(kernels, (heap) => {
    const run = { kernels, problem, heap, width, half, positives: new Float32Array(half) };
    const pairs = planPairs(run);
    const logs = logSums(run, pairs);
    const terms = Array.from(run.positives, problem.positive.ofNumber);
    if (problem.wantGradients) {
      const pulls = terms.map(({ slope }) => slope / half);
      addGradients(run, { pairs, logs, pulls, gradients });
    }
    const positive = terms.reduce((sum, term) => sum + term.value, 0) / half;
    return positive + (problem.weight * logs.reduce((sum, log) => sum + log, 0)) / logs.length;
  });
  return { value: tf.scalar(value), gradients };
}

function planPairs({ heap, half, problem }: Run): Pair[] {
  const ranges = evenRanges(half, problem.blocks.blockRows ?? largestBlock);
  const anchors = ([0, 1] as const).flatMap((side) =>
    ranges.map((range) => ({ ...range, side, first: side * half + range.start })),
  );
  const largest = Math.max(...ranges.map((range) => range.count));
  const shared = heap.floats(largest * largest);
  let budget = problem.wantGradients ? (problem.blocks.cacheBytes ?? defaultCacheBytes) : 0;
  return anchors.flatMap((rows, at) =>
    anchors.slice(at).map((columns) => {
      const size = rows.count * columns.count;
      const isCached = budget >= 4 * size;
      if (isCached) budget -= 4 * size;
      return { rows, columns, isCached, block: isCached ? heap.floats(size) : shared };
    }),
  );
}

function widestBlock(pairs: readonly Pair[]): number {
  return Math.max(...pairs.map((pair) => pair.columns.count));
}

function isDiagonal({ rows, columns }: Pair): boolean {
  return rows.first === columns.first;
}

/** Whether the diagonal of the block holds the similarities of the positive pairs. */
function holdsPositives({ rows, columns }: Pair): boolean {
  return rows.side !== columns.side && rows.start === columns.start;
}

function rowsAt({ kernels, problem, width }: Run, { side, start }: Anchors): number {
  return addressOf(kernels, side === 0 ? problem.left : problem.right) + 4 * start * width;
}

/** Fills the pair's block with `scale (s - offset)`, -Infinity where an entry does not count. */
function computeExponents(run: Run, pair: Pair): void {
  const { kernels, problem, width } = run;
  const { rows, columns, block } = pair;
  kernels.call(
    'block_gemm',
    ...[rows.count, columns.count, width],
    ...[rowsAt(run, rows), width, 0, rowsAt(run, columns), width, 1],
    ...[block.at(), columns.count, 0, kernels.scratch],
  );
  const values = block.view();
  const step = columns.count + 1;
  if (holdsPositives(pair)) {
    for (let i = 0; i < rows.count; i += 1) run.positives[rows.start + i] = values[i * step] ?? 0;
  }
  const size = rows.count * columns.count;
  kernels.call('similarity_exponents', size, block.at(), problem.scale, problem.offset);
  if (isDiagonal(pair) || (holdsPositives(pair) && !problem.includePositive)) {
    for (let i = 0; i < rows.count; i += 1) values[i * step] = -Infinity;
  }
}

/** `ln(floor + sum exp)` of every anchor. */
function logSums(run: Run, pairs: readonly Pair[]): Float64Array {
  const { kernels, heap, half, problem } = run;
  // The floor of 1 enters as a first term exp(0).
  const tops = heap.floats(2 * half, problem.floor === 1 ? 0 : -3e38);
  const sums = heap.floats(2 * half, problem.floor);
  const spare = heap.floats(widestBlock(pairs));
  for (const pair of pairs) {
    const { rows, columns, block } = pair;
    computeExponents(run, pair);
    const own = [tops.at(rows.first), sums.at(rows.first)];
    const other = isDiagonal(pair) ? [0, 0] : [tops.at(columns.first), sums.at(columns.first)];
    const sizes = [rows.count, columns.count];
    kernels.call('exponent_sums', ...sizes, block.at(), ...own, ...other, spare.at());
  }
  const sumValues = sums.view();
  return Float64Array.from(tops.view(), (top, anchor) => top + Math.log(sumValues[anchor] ?? 0));
}

interface Slopes {
  pairs: readonly Pair[];
  logs: Float64Array;
  /** Weight of each positive pair. */
  pulls: readonly number[];
  gradients: readonly tf.Tensor2D[];
}

function addGradients(run: Run, { pairs, logs, pulls, gradients }: Slopes): void {
  const { kernels, heap, half, problem, width } = run;
  const logsOnHeap = heap.floats(2 * half);
  logsOnHeap.view().set(logs);
  const factors = heap.floats(2 * half, (problem.weight * problem.scale) / (2 * half));
  const spare = heap.floats(widestBlock(pairs));
  for (const pair of pairs) {
    const { rows, columns, block } = pair;
    if (!pair.isCached) computeExponents(run, pair);
    kernels.call(
      'exponent_weights',
      ...[rows.count, columns.count, block.at()],
      ...[logsOnHeap.at(rows.first), factors.at(rows.first)],
      ...[logsOnHeap.at(columns.first), factors.at(columns.first), spare.at()],
    );
    if (holdsPositives(pair)) addPulls(pair, pulls);
    const target = ({ side, start }: Anchors) =>
      addressOf(kernels, gradients[side] as tf.Tensor2D) + 4 * start * width;
    kernels.call(
      'block_gemm',
      ...[rows.count, width, columns.count, block.at(), columns.count, 0],
      ...[rowsAt(run, columns), width, 0, target(rows), width, 1, kernels.scratch],
    );
    if (isDiagonal(pair)) continue;
    kernels.call(
      'block_gemm',
      ...[columns.count, width, rows.count, block.at(), columns.count, 1],
      ...[rowsAt(run, rows), width, 0, target(columns), width, 1, kernels.scratch],
    );
  }
}

function addPulls({ rows, columns, block }: Pair, pulls: readonly number[]): void {
  const values = block.view();
  for (let i = 0; i < rows.count; i += 1) {
    const at = i * (columns.count + 1);
    values[at] = (values[at] ?? 0) + (pulls[rows.start + i] ?? 0);
  }
}
