import { evenRanges, type Heap, type HeapArray, withHeap } from '../ops/heap.js';
import { tf } from '../tfjs.js';
import { addressOf, type KernelModule } from '../wasm-backend.js';
import type { InfoNceProblem, Labels } from './info-nce-composed.js';
import type { JointGradient } from './joint-gradient.js';

interface RowBlock {
  start: number;
  count: number;
  logits: HeapArray<Float32Array>;
  isCached: boolean;
}

/** Running log-sum-exps in the heap, one a line: `top + ln(sum)`. */
interface LogSums {
  tops: HeapArray<Float32Array>;
  sums: HeapArray<Float32Array>;
  logs: HeapArray<Float32Array>;
  /** Factor of the line's soft-max in the weights. */
  factors: HeapArray<Float32Array>;
}

interface Run {
  kernels: KernelModule;
  problem: InfoNceProblem;
  heap: Heap;
  size: number;
  width: number;
  rows: LogSums;
  columns: LogSums;
  gradients: readonly tf.Tensor2D[];
  spare: HeapArray<Float32Array>;
  /** Sum of the label-weighted logits seen so far. */
  labelled: number;
}

/** InfoNCE on our kernels; the same value and gradients as the composed form. */
export function kernelInfoNce(kernels: KernelModule, problem: InfoNceProblem): JointGradient {
  const [size, width] = problem.left.shape;
  const gradients = problem.wantGradients
    ? [tf.zeros<tf.Rank.R2>([size, width]), tf.zeros<tf.Rank.R2>([size, width])]
    : [];
  const value = withHeap(kernels, (heap) => {
    const factor = 1 / (size * problem.temperature * (problem.bothDirections ? 2 : 1));
    const rows = createLogSums(heap, problem.labels.rowSums, factor);
    const columns = createLogSums(heap, problem.labels.columnSums, factor);
    const spare = heap.floats(size);
    const lines = { rows, columns, spare, labelled: 0 };
    const run = { kernels, problem, heap, size, width, gradients, ...lines };
    walkBlocks(run, planBlocks(run));
    return meanLoss(run);
  });
  return { value: tf.scalar(value), gradients };
}

function createLogSums(heap: Heap, masses: Float32Array, factor: number): LogSums {
  const factors = heap.floats(masses.length);
  factors.view().set(masses.map((mass) => mass * factor));
  const tops = heap.floats(masses.length, -3e38);
  const sums = heap.floats(masses.length, 0);
  return { tops, sums, factors, logs: heap.floats(masses.length) };
}

function planBlocks({ heap, size, problem }: Run): RowBlock[] {
  const ranges = evenRanges(size, problem.blockRows);
  const shared = heap.floats(Math.max(...ranges.map((range) => range.count)) * size);
  let budget = problem.bothDirections && problem.wantGradients ? problem.cacheBytes : 0;
  return ranges.map((range) => {
    const bytes = 4 * range.count * size;
    const isCached = budget >= bytes;
    if (isCached) budget -= bytes;
    return { ...range, isCached, logits: isCached ? heap.floats(range.count * size) : shared };
  });
}

/** One walk where rows alone matter; a second where the columns' sums are needed first. */
function walkBlocks(run: Run, blocks: readonly RowBlock[]): void {
  const { kernels, problem, size, rows, columns } = run;
  for (const block of blocks) {
    const { start, count, logits } = block;
    computeLogits(run, block);
    run.labelled += labelledSum(logits.view(), problem.labels, block);
    const sums = [rows.tops.at(start), rows.sums.at(start)];
    if (problem.bothDirections) {
      const other = [columns.tops.at(), columns.sums.at(), run.spare.at()];
      kernels.call('exponent_sums', count, size, logits.at(), ...sums, ...other);
    } else if (problem.wantGradients) {
      kernels.call('softmax_weights', count, size, logits.at(), rows.factors.at(start), ...sums);
      addGradients(run, block);
    } else {
      kernels.call('exponent_sums', count, size, logits.at(), ...sums, 0, 0, 0);
    }
  }
  finishLogs(rows);
  finishLogs(columns);
  if (problem.bothDirections && problem.wantGradients) secondWalk(run, blocks);
}

function secondWalk(run: Run, blocks: readonly RowBlock[]): void {
  const { kernels, size, rows, columns, spare } = run;
  for (const block of blocks) {
    const { start, count, logits, isCached } = block;
    if (!isCached) computeLogits(run, block);
    kernels.call(
      'exponent_weights',
      ...[count, size, logits.at(), rows.logs.at(start), rows.factors.at(start)],
      ...[columns.logs.at(), columns.factors.at(), spare.at()],
    );
    addGradients(run, block);
  }
}

function computeLogits({ kernels, problem, size, width }: Run, block: RowBlock): void {
  const { start, count, logits } = block;
  kernels.call(
    'block_gemm',
    ...[count, size, width, addressOf(kernels, problem.left) + 4 * start * width, width, 0],
    ...[addressOf(kernels, problem.right), width, 1, logits.at(), size, 0, kernels.scratch],
  );
  kernels.call('similarity_exponents', count * size, logits.at(), 1 / problem.temperature, 0);
}

function finishLogs({ tops, sums, logs }: LogSums): void {
  const [top, sum, log] = [tops.view(), sums.view(), logs.view()];
  log.forEach((_, line) => {
    log[line] = (top[line] ?? 0) + Math.log(sum[line] ?? 0);
  });
}

interface LabelVisit {
  start: number;
  count: number;
}

function labelledSum(logits: Float32Array, labels: Labels, { start, count }: LabelVisit): number {
  const size = labels.rowSums.length;
  let sum = 0;
  for (let at = start * labels.perRow; at < (start + count) * labels.perRow; at += 1) {
    const row = Math.floor(at / labels.perRow) - start;
    const weight = labels.weights[at] ?? 0;
    if (weight !== 0) sum += weight * (logits[row * size + (labels.columns[at] ?? 0)] ?? 0);
  }
  return sum;
}

function subtractLabels(
  weights: Float32Array,
  labels: Labels,
  { start, count, factor }: LabelVisit & { factor: number },
): void {
  const size = labels.rowSums.length;
  for (let at = start * labels.perRow; at < (start + count) * labels.perRow; at += 1) {
    const row = Math.floor(at / labels.perRow) - start;
    const target = row * size + (labels.columns[at] ?? 0);
    weights[target] = (weights[target] ?? 0) - factor * (labels.weights[at] ?? 0);
  }
}

/** From soft-max weights in the block: subtracts the labels, adds to both gradients. */
function addGradients(run: Run, { start, count, logits }: RowBlock): void {
  const { kernels, problem, size, width, gradients } = run;
  const factor = 1 / (size * problem.temperature);
  subtractLabels(logits.view(), problem.labels, { start, count, factor });
  const [left, right] = gradients.map((gradient) => addressOf(kernels, gradient));
  const offset = 4 * start * width;
  kernels.call(
    'block_gemm',
    ...[count, width, size, logits.at(), size, 0, addressOf(kernels, problem.right), width, 0],
    ...[(left ?? 0) + offset, width, 1, kernels.scratch],
  );
  kernels.call(
    'block_gemm',
    ...[size, width, count, logits.at(), size, 1, addressOf(kernels, problem.left) + offset],
    ...[width, 0, right ?? 0, width, 1, kernels.scratch],
  );
}

/** From the log-sum-exps: `-(1/B) sum_bc Y_bc (s_bc - log)`, averaged over the directions. */
function meanLoss({ problem, rows, columns, size, labelled }: Run): number {
  const { rowSums, columnSums } = problem.labels;
  const weighted = (logs: Float32Array, masses: Float32Array) =>
    logs.reduce((sum, log, line) => sum + log * (masses[line] ?? 0), 0);
  const forward = weighted(rows.logs.view(), rowSums) - labelled;
  if (!problem.bothDirections) return forward / size;
  const backward = weighted(columns.logs.view(), columnSums) - labelled;
  return (forward + backward) / (2 * size);
}
