/**
 * One matrix pruned so that what it gives changes least: single weights go, the others make up.
 */
import { ConfigError, ShapeError } from '@lab/core';
import { inverseFactor } from './inverse-factor.js';

/** How a matrix is pruned. */
export interface SparseMatrixOptions {
  /** Share of the weights of each block of columns that are removed; default .5. */
  readonly share?: number | undefined;
  /** Columns among which weights are chosen together; default 128. */
  readonly blockSize?: number | undefined;
  /** Added to the diagonal, as a share of its mean; default .01. */
  readonly damping?: number | undefined;
}

/** Products of inputs, made ready for {@link pruneMatrix}; one for all matrices of an input. */
export interface InputProducts {
  readonly size: number;
  /** Upper factor of the damped inverse, `[in, in]`. */
  readonly factor: Float64Array;
  /** Inputs that are always 0: their weights go. */
  readonly dead: readonly number[];
}

/**
 * Prepares `H = sum_t x_t x_t^T` over all calibration tokens.
 *
 * @param products - H, `[in, in]` row-major.
 * @throws {ConfigError} for a damping that is not above 0.
 */
export function inputProducts(
  products: Float64Array,
  size: number,
  { damping = 0.01 }: SparseMatrixOptions = {},
): InputProducts {
  if (!(damping > 0 && Number.isFinite(damping))) {
    throw new ConfigError(`sahara/sparse-gpt: damping is ${damping}, it must be above 0.`, {
      help: 'Take .01.',
    });
  }
  const matrix = products.slice();
  const dead: number[] = [];
  let sum = 0;
  for (let at = 0; at < size; at += 1) {
    const place = at * size + at;
    if (matrix[place] === 0) {
      matrix[place] = 1;
      dead.push(at);
    }
    sum += matrix[place]!;
  }
  for (let at = 0; at < size; at += 1) matrix[at * size + at]! += (damping * sum) / size;
  return { size, factor: inverseFactor(matrix, size), dead };
}

/** A matrix without some of its weights. */
export interface PrunedMatrix {
  readonly values: Float32Array;
  /** Weights that were taken away, those that were 0 before among them. */
  readonly removed: number;
}

/**
 * A matrix with the share of weights removed that its outputs miss least, `[out, in]`.
 *
 * Column by column, `U` the upper factor of `(H + lambda I)^-1`: of each block of columns the
 * weights with the least `w_oj^2 / U_jj^2` are set to 0, and what that changes of an output,
 * `e_o = w_oj / U_jj`, is taken from the later columns: `w_ok <- w_ok - e_o U_jk`.
 * Source: Frantar and Alistarh, SparseGPT: Massive Language Models Can Be Accurately Pruned in
 * One-Shot, algorithm 1 with adaptive masks of one block.
 *
 * @throws {ShapeError} where the weights are not outputs times inputs.
 * @throws {ConfigError} for a share outside of 0..1, and a block of no column.
 */
export function pruneMatrix(
  weights: Float32Array,
  { size, factor, dead }: InputProducts,
  { share = 0.5, blockSize = 128 }: SparseMatrixOptions = {},
): PrunedMatrix {
  assertOptions(share, blockSize);
  const outputs = weights.length / size;
  if (!Number.isInteger(outputs)) {
    throw new ShapeError(`sahara/sparse-gpt: ${weights.length} weights of ${size} inputs.`, {
      ...{ expected: `a multiple of ${size}`, got: weights.length },
    });
  }
  const left = Float64Array.from(weights);
  for (const column of dead) {
    for (let output = 0; output < outputs; output += 1) left[output * size + column] = 0;
  }
  const removed = new Uint8Array(weights.length);
  for (let from = 0; from < size; from += blockSize) {
    const to = Math.min(from + blockSize, size);
    markLeast(left, removed, { size, factor, outputs, from, to, share });
    for (let output = 0; output < outputs; output += 1) {
      const row = output * size;
      for (let column = from; column < to; column += 1) {
        if (removed[row + column] === 0) continue;
        const own = column * size;
        const error = left[row + column]! / factor[own + column]!;
        left[row + column] = 0;
        for (let k = column + 1; k < size; k += 1) left[row + k]! -= error * factor[own + k]!;
      }
    }
  }
  const count = removed.reduce((sum, one) => sum + one, 0);
  return { values: Float32Array.from(left), removed: count };
}

interface Block {
  readonly size: number;
  readonly factor: Float64Array;
  readonly outputs: number;
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** Marks the weights of a block that cost least. */
function markLeast(left: Float64Array, removed: Uint8Array, block: Block): void {
  const { size, factor, outputs, from, to, share } = block;
  const width = to - from;
  const costs = new Float64Array(outputs * width);
  for (let output = 0; output < outputs; output += 1) {
    for (let column = from; column < to; column += 1) {
      const own = left[output * size + column]! / factor[column * size + column]!;
      costs[output * width + column - from] = own * own;
    }
  }
  const count = Math.floor(share * costs.length);
  if (count === 0) return;
  const threshold = costs.toSorted()[count - 1]!;
  let open = count - costs.reduce((sum, cost) => sum + (cost < threshold ? 1 : 0), 0);
  for (const [at, cost] of costs.entries()) {
    // Of weights that cost the same, the first ones go.
    const isLeast = cost < threshold || (cost === threshold && open > 0);
    if (!isLeast) continue;
    if (cost === threshold) open -= 1;
    removed[Math.floor(at / width) * size + from + (at % width)] = 1;
  }
}

function assertOptions(share: number, blockSize: number): void {
  if (!(share >= 0 && share <= 1)) {
    throw new ConfigError(`sahara/sparse-gpt: share is ${share}, allowed is 0 to 1.`);
  }
  if (Number.isInteger(blockSize) && blockSize >= 1) return;
  throw new ConfigError(`sahara/sparse-gpt: a block of ${blockSize} columns.`, {
    help: 'Give a whole number from 1.',
  });
}
