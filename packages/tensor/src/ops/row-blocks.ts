import { ShapeError } from '@lab/core';
import { emptyRows, writeRows } from '../kernels/in-place.js';
import { assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { isolatedGradients } from '../tape.js';

/** How {@link sumOverRowBlocks} cuts its inputs. */
export interface RowBlockOptions {
  /** Rows of a block; default 2048. */
  readonly blockRows?: number;
}

type BlockFunction = (...blocks: tf.Tensor2D[]) => tf.Scalar;

interface Range {
  readonly start: number;
  readonly rows: number;
}

function cutRows(total: number, blockRows: number): Range[] {
  const ranges: Range[] = [];
  for (let start = 0; start < total; start += blockRows) {
    ranges.push({ start, rows: Math.min(blockRows, total - start) });
  }
  return ranges;
}

function blocksOf(inputs: readonly tf.Tensor2D[], { start, rows }: Range): tf.Tensor2D[] {
  return inputs.map((x) => tf.slice2d(x, [start, 0], [rows, x.shape[1]]));
}

function sumOfBlocks(inputs: readonly tf.Tensor2D[], f: BlockFunction, ranges: Range[]) {
  let total = tf.scalar(0);
  for (const range of ranges) {
    const next = tf.tidy(() => tf.add(total, f(...blocksOf(inputs, range))) as tf.Scalar);
    total.dispose();
    total = next;
  }
  return total;
}

/** Gradients of one block, before the factor that comes from above. */
function blockGradients(
  inputs: readonly tf.Tensor2D[],
  f: BlockFunction,
  range: Range,
): tf.Tensor2D[] {
  return tf.tidy(() => {
    const { value, gradients } = isolatedGradients(f, blocksOf(inputs, range));
    value.dispose();
    return gradients;
  });
}

/** Gradients written block by block into one full-size tensor per input. */
function gradientsInPlace(
  targets: readonly tf.Tensor2D[],
  ranges: readonly Range[],
  { factor, gradientsOf }: { factor: number; gradientsOf: (range: Range) => tf.Tensor2D[] },
): void {
  for (const range of ranges) {
    const gradients = gradientsOf(range);
    targets.forEach((target, i) => {
      writeRows(target, gradients[i] as tf.Tensor2D, { start: range.start, factor });
    });
    tf.dispose(gradients);
  }
}

/** Gradients block by block, concatenated. */
function gradientsJoined(
  count: number,
  ranges: readonly Range[],
  gradientsOf: (range: Range) => tf.Tensor2D[],
): tf.Tensor2D[] {
  const parts = Array.from({ length: count }, (): tf.Tensor2D[] => []);
  for (const range of ranges) {
    gradientsOf(range).forEach((gradient, i) => (parts[i] as tf.Tensor2D[]).push(gradient));
  }
  return parts.map((rows) => {
    const joined = tf.concat2d(rows, 0);
    tf.dispose(rows);
    return joined;
  });
}

function gradientsOfBlocks(
  inputs: readonly tf.Tensor2D[],
  f: BlockFunction,
  ranges: readonly Range[],
  dy: tf.Scalar,
): tf.Tensor2D[] {
  if (ranges.length === 0) return inputs.map((x) => tf.zerosLike(x));
  const gradientsOf = (range: Range) => blockGradients(inputs, f, range);
  const targets = inputs.flatMap((x) => emptyRows(x.shape) ?? []);
  if (targets.length === inputs.length) {
    gradientsInPlace(targets, ranges, { factor: dy.dataSync()[0] as number, gradientsOf });
    return targets;
  }
  const joined = gradientsJoined(inputs.length, ranges, gradientsOf);
  return joined.map((gradient) => tf.mul(gradient, dy) as tf.Tensor2D);
}

/**
 * Sum of a scalar function over blocks of rows: `value = sum_blocks f(x_block, ...)`.
 *
 * The backward pass computes each block again, so of the temporaries of `f` only those of one
 * block exist at a time. `f` must be a sum over rows (for a mean divide afterwards), must not use
 * other differentiated tensors than its arguments, and is called twice per block.
 *
 * @param inputs - matrices with the same number of rows, `[N, *]`.
 * @param f - scalar of the blocks of the inputs, in their order.
 * @returns scalar; 0 when there are no rows.
 * @throws {ShapeError} when row counts differ or there is no input.
 */
export function sumOverRowBlocks(
  inputs: readonly tf.Tensor2D[],
  f: BlockFunction,
  options: RowBlockOptions = {},
): tf.Scalar {
  const first = inputs[0];
  if (first === undefined) throw new ShapeError('tensor: row blocks need at least one input.');
  const total = first.shape[0];
  inputs.forEach((x, i) => assertShape(x, 'N *', `input ${i}`, { N: total }));
  const ranges = cutRows(total, options.blockRows ?? 2048);
  const operation = tf.customGrad((...args: unknown[]) => {
    const xs = args.slice(0, inputs.length) as tf.Tensor2D[];
    const save = args[inputs.length] as tf.GradSaveFunc;
    save(xs);
    const value = sumOfBlocks(xs, f, ranges);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      gradientsOfBlocks(saved as tf.Tensor2D[], f, ranges, dy as tf.Scalar);
    return { value, gradFunc };
  });
  return operation(...(inputs as tf.Tensor2D[])) as tf.Scalar;
}
