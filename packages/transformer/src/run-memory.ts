/**
 * Bytes that a pass over batches takes at its peak, counted from shapes.
 */
import { tf } from '@lab/tensor';
import type { Architecture } from './architecture.js';
import { tokensTogether } from './logits-in-parts.js';
import { type BatchShape, outputRows, type RunOutline } from './run-outline.js';
import { backendBudget, type LoadModelOptions, type Residency } from './weights/residency.js';
import type { WeightSizes } from './weights/weight-sizes.js';

interface Given {
  readonly architecture: Architecture;
  readonly sizes: WeightSizes;
  readonly outline: RunOutline;
}

/** Bytes of the arrays that are there together at most, weights and values. */
export function peakBytes(residency: Residency, { sizes, architecture, outline }: Given): number {
  const { batches, logits = 'all', order, keptBytes = 0 } = outline;
  const { width, vocabularySize } = architecture;
  const sum = (of: (shape: BatchShape) => number) =>
    batches.reduce((total, shape) => total + of(shape), 0);
  const most = (of: (shape: BatchShape) => number) => Math.max(...batches.map(of));
  const blocks = most((shape) => activationFloats(architecture, shape));
  const rows = most((shape) => outputRows(shape, outline));
  // All logits are made in parts of the vocabulary; of last tokens, and batch by batch, whole.
  const isWhole = logits === 'last' || order === 'batches';
  const together = rows * (width + (isWhole ? vocabularySize : partOf(rows, vocabularySize)));
  const isRead = residency !== 'resident';
  // Strips of logits and their whole, or logits before and behind a cap; and a copy in the host's
  // memory.
  const output = (isRead && isWhole ? 3 : 2) * together;
  // What a pass gives stays in the host's memory, and residuals between the blocks.
  const kept = 4 * sum((shape) => outputRows(shape, outline)) * vocabularySize + keptBytes;
  const residuals = 2 * sum(({ batchSize, length }) => batchSize * length) * width;
  // While a block runs the next one is read; while the output is made, none is.
  const held = residency === 'host' ? sizes.stored : 0;
  const weights = isRead ? held + sizes.block.placed : sizes.placed + sizes.block.stored;
  const ahead = residency === 'streamed' ? sizes.block.stored : 0;
  const whileBlocks = ahead + 4 * blocks;
  const whileOutput = 4 * output;
  // A heap of wasm never shrinks: what blocks needed is not there for what is kept.
  if (tf.getBackend() === 'wasm') {
    return weights + Math.max(whileBlocks, whileOutput) + kept + 4 * residuals;
  }
  return weights + Math.max(whileBlocks, whileOutput + kept) + 4 * residuals;
}

/** Of a budget, what the arrays of a block may take: weights and results need the rest. */
const BLOCK_SHARE = 0.25;

/**
 * Whether the arrays that a batch has in a block fit into their share of the budget, or of the
 * memory of the backend in use.
 */
export function blockFits(
  architecture: Architecture,
  options: LoadModelOptions,
): (shape: BatchShape) => boolean {
  const most = BLOCK_SHARE * backendBudget(options);
  return (shape) => 4 * activationFloats(architecture, shape) <= most;
}

const partOf = (rows: number, vocabularySize: number): number =>
  Math.min(tokensTogether(rows), vocabularySize);

/** Numbers that a block's arrays have at the peak: those of its attention or of its MLP. */
function activationFloats(architecture: Architecture, { batchSize, length }: BatchShape): number {
  const { width, headCount, keyValueHeadCount, headWidth, mlpWidth, isGated } = architecture;
  const { scoreCap, positions, blocks } = architecture;
  const tokens = batchSize * length;
  const isApart =
    scoreCap !== null || positions.kind === 'alibi' || blocks.some(({ window }) => window !== null);
  const scores = isApart ? 4 * headCount * length : 0;
  const attention = (5 * headCount + 5 * keyValueHeadCount) * headWidth + 2 * width + scores;
  const mlp = (isGated ? 4 : 2) * mlpWidth + 2 * width;
  return tokens * (4 * width + Math.max(attention, mlp));
}
