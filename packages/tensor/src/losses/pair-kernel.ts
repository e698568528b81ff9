import { withHeap } from '../ops/heap.js';
import { tf } from '../tfjs.js';
import type { KernelModule } from '../kernel-module.js';
import { joinSides } from './joined-rows.js';
import {
  createLines,
  createPanels,
  createTiles,
  type Cut,
  cutOf,
  finishLines,
} from './pair-memory.js';
import type { PairedRows, PairProblem, PairResult, SymmetricTerm } from './pair-problem.js';
import { defaultCacheBytes } from './paired-rows.js';
import {
  type AcrossMemory,
  type AnchorLines,
  acrossWalk,
  type PairMemory,
  type SlopedRows,
  withinWalk,
} from './pair-walk.js';

/** Rows of a stretch whose gradient is one item of a thread. */
const STRETCH = 192;

/** What rows are packed for, as C takes it. */
const forSimilarities = 0;
const forSlopes = 1;

/** A walk over blocks of similarities. */
interface Walk {
  readonly address: number;
  readonly isWithin: boolean;
  readonly partCount: number;
}

interface Run {
  readonly memory: PairMemory;
  readonly problem: PairProblem;
  readonly anchors: AnchorLines | null;
  readonly across: AcrossMemory;
  readonly walks: readonly Walk[];
}

/**
 * Values and gradients of a pair problem on our kernels, on all threads.
 *
 * Blocks of similarities are computed, give their sums, and turn into slopes in a second round;
 * those that fit the cache are kept in between. Row blocks come one after the other; within one
 * the threads share column blocks, and then stretches of rows, so that nothing is written by two.
 */
export function kernelPairs(kernels: KernelModule, problem: PairProblem): PairResult {
  const parts = problem.parts.map((rows) => withSlopes(rows, problem.wantGradients));
  const joined = joinedRows(problem, parts);
  const found = withHeap(kernels, (heap) => {
    const count = problem.parts[0]?.left.shape[0] ?? 0;
    const cut = cutOf(count, problem.blocks.blockRows);
    const budget = isOneRound(problem) ? null : (problem.blocks.cacheBytes ?? defaultCacheBytes);
    const widths = parts.map(({ rows }) => rows.left.shape[1]);
    const panels = createPanels(heap, cut, { ...problem, widths });
    const memory = { kernels, heap, cut, tiles: createTiles(heap, cut, budget), panels };
    const run = createRun(memory, problem, { parts, joined });
    return { values: walkAll(run), sums: shareSums(run) };
  });
  // Not before the blocks of similarities are free again: this makes tensors of the rows' size.
  const { values, sums } = found;
  if (!problem.wantGradients) return { ...values, parts: [], shares: null };
  return { ...values, ...gatherSlopes(problem.shares, { parts, joined, sums }) };
}

/** Whether each row block is finished before the next: no sums of columns are needed first. */
function isOneRound({ softmax, symmetric, wantGradients }: PairProblem): boolean {
  return !wantGradients || (symmetric === null && softmax?.bothDirections === false);
}

function withSlopes(rows: PairedRows, wantGradients: boolean): SlopedRows {
  if (!wantGradients) return { rows, slopes: rows };
  return { rows, slopes: { left: tf.zerosLike(rows.left), right: tf.zerosLike(rows.right) } };
}

/** The rows of the symmetric term: the only part's own, or the joined ones. */
function joinedRows({ parts, shares, symmetric, wantGradients }: PairProblem, own: SlopedRows[]) {
  if (symmetric === null) return null;
  if (shares === null) return own[0] ?? null;
  return withSlopes(joinSides(parts, shares), wantGradients);
}

interface Inputs {
  readonly parts: readonly SlopedRows[];
  readonly joined: SlopedRows | null;
}

function createRun(memory: PairMemory, problem: PairProblem, { parts, joined }: Inputs): Run {
  const { heap, cut } = memory;
  const { symmetric } = problem;
  const walks: Walk[] = [];
  let anchors: AnchorLines | null = null;
  if (symmetric !== null && joined !== null) {
    // Slots of the own side's blocks, then of the other side's.
    anchors = {
      left: createLines(heap, cut, 2 * cut.blocks),
      right: createLines(heap, cut, 2 * cut.blocks),
    };
    for (const side of ['left', 'right'] as const) {
      const rows = { rows: joined.rows[side], slopes: joined.slopes[side] };
      const own = { lines: anchors[side], scale: symmetric.scale };
      walks.push({ address: withinWalk(memory, rows, own), isWithin: true, partCount: 1 });
    }
  }
  const across = acrossWalk(memory, problem, { parts, anchors });
  walks.push({ address: across.walk, isWithin: false, partCount: parts.length });
  return { memory, problem, anchors, across, walks };
}

function walkAll(run: Run): { softmax: number[]; symmetric: number } {
  const { memory, problem, walks } = run;
  const isStreamed = problem.wantGradients && isOneRound(problem);
  const uses = isStreamed ? [forSimilarities, forSlopes] : [forSimilarities];
  for (const walk of walks) {
    forBlocks(memory, { walk, uses }, (block) => {
      callTiles('pair_sums', memory, walk, block);
      if (!isStreamed) return;
      finishRows(run, block);
      computeSlopes(memory, walk, block);
    });
  }
  const values = { softmax: softmaxValues(run), symmetric: symmetricValue(run) };
  if (!problem.wantGradients || isStreamed) return values;
  const laterUses = memory.tiles.isComplete() ? [forSlopes] : [forSimilarities, forSlopes];
  for (const walk of walks) {
    forBlocks(memory, { walk, uses: laterUses }, (block) => computeSlopes(memory, walk, block));
  }
  return values;
}

/** Calls `body` for row blocks in turn, with the rows packed that they and all blocks need. */
function forBlocks(
  { kernels, cut }: PairMemory,
  { walk, uses }: { walk: Walk; uses: readonly number[] },
  body: (block: number) => void,
): void {
  const { address, partCount } = walk;
  const right = { kernel: 'pair_pack_right', count: partCount * cut.blocks, block: 1 };
  const left = { kernel: 'pair_pack_left', count: partCount, block: 1 };
  for (const use of uses) kernels.callBlocks(right, address, use);
  for (let block = 0; block < cut.blocks; block += 1) {
    for (const use of uses) kernels.callBlocks(left, address, use, block);
    body(block);
  }
}

function callTiles(kernel: string, memory: PairMemory, walk: Walk, block: number): void {
  const count = memory.cut.blocks - (walk.isWithin ? block : 0);
  memory.kernels.callBlocks({ kernel, count, block: 1 }, walk.address, block);
}

function computeSlopes(memory: PairMemory, walk: Walk, block: number): void {
  const { kernels, cut } = memory;
  callTiles('pair_slopes', memory, walk, block);
  const rows = Math.min(cut.size, cut.count - block * cut.size);
  const count = walk.partCount * Math.ceil(rows / STRETCH);
  kernels.callBlocks({ kernel: 'pair_row_slopes', count, block: 1 }, walk.address, block, STRETCH);
}

/** Levels of the rows of one block, for slopes that follow at once. */
function finishRows({ memory, problem, across }: Run, block: number): void {
  const { cut } = memory;
  const start = block * cut.size;
  const end = Math.min(start + cut.size, cut.count);
  const scale = 1 / (problem.softmax?.temperature ?? 1);
  for (const { rows } of across.softmax) finishLines(rows, cut, { scale, start, end });
}

/** Of every part: `-(1/B) sum_bc Y_bc (s_bc / t - log)`, averaged over the directions. */
function softmaxValues({ memory, problem, across }: Run): number[] {
  const { softmax } = problem;
  if (softmax === null) return [];
  const { cut } = memory;
  const scale = 1 / softmax.temperature;
  const weighted = (logs: Float64Array, masses: Float32Array) =>
    logs.reduce((sum, log, line) => sum + log * (masses[line] ?? 0), 0);
  return across.softmax.map(({ rows, columns, labelled }) => {
    const target = scale * labelled.view().reduce((sum, value) => sum + value, 0);
    const { rowSums, columnSums } = softmax.labels;
    const forward = weighted(finishLines(rows, cut, { scale }), rowSums) - target;
    if (columns === null) return forward / cut.count;
    const backward = weighted(finishLines(columns, cut, { scale }), columnSums) - target;
    return (forward + backward) / (2 * cut.count);
  });
}

/** Value of the symmetric term; sets the levels, factors and pulls for its slopes. */
function symmetricValue({ memory, problem, anchors, across }: Run): number {
  const { symmetric } = problem;
  if (symmetric === null || anchors === null) return 0;
  const { cut } = memory;
  const { scale, offset, logWeight, weight } = symmetric;
  const first = symmetric.floor === 1 ? { first: offset } : {};
  const logs = [anchors.left, anchors.right].map((lines) => {
    lines.factors.view().fill((weight * logWeight * scale) / (2 * cut.count));
    return finishLines(lines, cut, { scale, ...first }).reduce((sum, log) => sum + log, 0);
  });
  const mean = ((logs[0] ?? 0) + (logs[1] ?? 0)) / (2 * cut.count) - scale * offset;
  return positiveTerms(symmetric, cut, across) + logWeight * mean;
}

function positiveTerms(term: SymmetricTerm, cut: Cut, { partners, pulls }: AcrossMemory): number {
  const pull = pulls.view();
  let sum = 0;
  partners.view().forEach((similarity, pair) => {
    const { value, slope } = term.positive.ofNumber(similarity);
    pull[pair] = (term.weight * slope) / cut.count;
    sum += value;
  });
  return sum / cut.count;
}

/** Gradients of the shares `[parts, B]` by way of the similarities, for both sides. */
type ShareSums = Readonly<Record<keyof PairedRows, Float32Array>>;

/** The sums over all row blocks of what the walk has found for the shares; null without shares. */
function shareSums({ memory, problem, across }: Run): ShareSums | null {
  const { shareSlopes } = across;
  if (shareSlopes === null || !problem.wantGradients) return null;
  const sumOf = (slots: Float32Array) => {
    const sums = new Float32Array(problem.parts.length * memory.cut.count);
    for (let slot = 0; slot < memory.cut.blocks; slot += 1) {
      const start = slot * sums.length;
      sums.forEach((sum, at) => {
        sums[at] = sum + (slots[start + at] ?? 0);
      });
    }
    return sums;
  };
  return { left: sumOf(shareSlopes.left.view()), right: sumOf(shareSlopes.right.view()) };
}

interface Slopes extends Inputs {
  readonly sums: ShareSums | null;
}

/** Gradients of the parts and of the shares, those of the joined rows included. */
function gatherSlopes(shares: PairedRows | null, { parts, joined, sums }: Slopes) {
  if (shares === null || joined === null || sums === null) {
    return { parts: parts.map(({ slopes }) => slopes), shares: null };
  }
  const sideOf = (side: keyof PairedRows) =>
    sideSlopes({ shares: shares[side], sums: sums[side] }, { parts, joined, side });
  const [left, right] = [sideOf('left'), sideOf('right')];
  return {
    parts: parts.map((_, at) => ({
      left: left.rows[at] as tf.Tensor2D,
      right: right.rows[at] as tf.Tensor2D,
    })),
    shares: { left: left.shares as tf.Tensor2D, right: right.shares as tf.Tensor2D },
  };
}

/** With g the joined rows' slopes: adds `share g` to a part's, and `row . g` to its share's. */
function sideSlopes(
  { shares, sums }: { shares: tf.Tensor2D; sums: Float32Array },
  {
    parts,
    joined,
    side,
  }: { parts: readonly SlopedRows[]; joined: SlopedRows; side: keyof PairedRows },
) {
  const count = sums.length / parts.length;
  const across = tf.transpose(tf.tensor2d(sums, [parts.length, count])); // [B, parts]
  let start = 0;
  const found = parts.map((part, at) => {
    const width = part.rows.left.shape[1];
    start += width;
    return tf.tidy(() => {
      const g = tf.slice(joined.slopes[side], [0, start - width], [-1, width]);
      const along = tf.sum(tf.mul(g, part.rows[side]), 1, true); // [B, 1]
      const share = tf.slice(shares, [0, at], [-1, 1]);
      return { along, rows: tf.add(part.slopes[side], tf.mul(g, share)) };
    });
  });
  const along = found.map((part) => part.along);
  return { rows: found.map(({ rows }) => rows), shares: tf.add(across, tf.concat(along, 1)) };
}
