/**
 * The losses that compare directions, on rows in the host's memory: the rows are scaled to length 1
 * there, so that the tensor backend holds each of them once.
 */
import { iclLoss, infoNce, pullBack, tf } from '@lab/tensor';
import type { IclChoice, InfoNceChoice } from './alignment-loss.js';

/** Smallest divisor, as `l2NormalizeRows`. */
const EPSILON = 1e-12;

/** A loss and its gradient by the rows it was given. */
export interface RowLoss {
  readonly loss: number;
  /** In the layout of the rows. */
  readonly gradient: Float32Array;
}

/**
 * `contrastiveLoss` or `intraContrastiveLoss` of rows, left ones first and their counterparts
 * behind them, and the gradient.
 *
 * With `u = x / |x|`: `dx = (du - (du . u) u) / |x|`.
 *
 * @param rows - row-major `[2 B, width]`, B >= 2; changed: scaled to length 1.
 */
export function unitSidesLoss(
  rows: Float32Array,
  width: number,
  loss: IclChoice | InfoNceChoice,
): RowLoss {
  const lengths = scaleRows(rows, width);
  const found = { loss: 0, gradient: new Float32Array(rows.length) };
  const half = rows.length / 2;
  tf.tidy(() => {
    const sides = [0, half].map((start) => {
      return tf.tensor2d(rows.subarray(start, start + half), [half / width, width]);
    }) as [tf.Tensor2D, tf.Tensor2D];
    const { value, gradients } = pullBack(() => lossOf(sides, loss), sides, tf.scalar(1));
    gradients.forEach((gradient, side) => {
      found.gradient.set(gradient.dataSync<'float32'>(), side * half);
    });
    found.loss = value.dataSync()[0] as number;
  });
  throughLengths(found.gradient, { rows, lengths });
  return found;
}

function lossOf(
  [left, right]: readonly [tf.Tensor2D, tf.Tensor2D],
  loss: IclChoice | InfoNceChoice,
): tf.Scalar {
  const { temperature = 0.1 } = loss;
  if (loss.kind === 'icl') return iclLoss(left, right, { temperature });
  const { direction = 'left-to-right' } = loss;
  return infoNce(left, right, { temperature, direction });
}

/** Scales every row to length 1; what it was divided by, `[rows]`. */
function scaleRows(rows: Float32Array, width: number): Float64Array {
  const lengths = new Float64Array(rows.length / width);
  for (let i = 0; i < lengths.length; i += 1) {
    const row = rows.subarray(i * width, (i + 1) * width);
    let sum = 0;
    for (let k = 0; k < width; k += 1) sum += (row[k] as number) * (row[k] as number);
    const length = Math.max(Math.sqrt(sum), EPSILON);
    for (let k = 0; k < width; k += 1) row[k] = (row[k] as number) / length;
    lengths[i] = length;
  }
  return lengths;
}

/** Turns the gradient of scaled rows into that of the rows before. */
function throughLengths(
  gradient: Float32Array,
  { rows, lengths }: { readonly rows: Float32Array; readonly lengths: Float64Array },
): void {
  const width = rows.length / lengths.length;
  for (let i = 0; i < lengths.length; i += 1) {
    const slope = gradient.subarray(i * width, (i + 1) * width);
    const unit = rows.subarray(i * width, (i + 1) * width);
    const length = lengths[i] as number;
    let along = 0;
    for (let k = 0; k < width; k += 1) along += (slope[k] as number) * (unit[k] as number);
    // A row of zeros has no direction: it was divided by the smallest divisor, a constant.
    if (length === EPSILON) along = 0;
    for (let k = 0; k < width; k += 1) {
      slope[k] = ((slope[k] as number) - along * (unit[k] as number)) / length;
    }
  }
}
