import { DataError, ShapeError } from '@lab/core';
import { addInPlace } from '../kernels/in-place.js';
import { gatherRows } from '../ops/gather.js';
import { segmentSum } from '../ops/segment.js';
import { logSoftmax } from '../ops/softmax.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { type JointGradient, jointGradient } from './joint-gradient.js';

/** Settings of {@link linearCrossEntropy}. */
export interface LinearCrossEntropyOptions {
  /** Factor of the sum, such as one over the number of rows for their mean; default 1. */
  readonly scale?: number | undefined;
  /** c of `c tanh(z / c)`, which logits go through first; default none. */
  readonly cap?: number | null | undefined;
  /** Whether the matrix gets no gradient, which saves a third of the products; default false. */
  readonly isWeightConstant?: boolean | undefined;
  /** Logits that are held at once, at most; default 2^23, which is 32 MiB. */
  readonly partValues?: number | undefined;
}

/** What {@link linearCrossEntropy} gives; the caller disposes both. */
export interface LinearCrossEntropy {
  /** `scale` times the sum over rows; this is what gradients are taken of. */
  readonly loss: tf.Scalar;
  /** Loss of each row, nats, without the factor `[N]`. */
  readonly rowLosses: tf.Tensor1D;
}

/** Some rows and their targets. */
interface Part {
  readonly rows: tf.Tensor2D;
  readonly targets: tf.Tensor1D;
}

interface Rules {
  readonly weight: tf.Tensor2D;
  readonly scale: number;
  readonly cap: number | null;
}

/** What a part adds: gradients where they are wanted. */
type PartResult = {
  losses: tf.Tensor1D;
  /** `[n, D]`. */
  rows?: tf.Tensor2D;
  /** `[V, D]`. */
  weight?: tf.Tensor2D;
};

/**
 * Cross entropy of a softmax over the products of rows and a matrix: the loss of a language model
 * on the rows before its output.
 *
 * `L = scale sum_n (log sum_v exp z_nv - z_n,target(n))`, `z = rows weight^T`.
 * Source: the definition; gradients: `dL/dz = scale (softmax(z) - onehot)`.
 *
 * Logits are made for so many rows at a time that `partValues` of them are held; `[N, V]` never
 * exists. While the engine records, gradients come from the same parts: no logit is computed
 * twice. There are no second derivatives.
 *
 * @param rows - `[N, D]`, N >= 1.
 * @param weight - a row for every class, `[V, D]`.
 * @param targets - class of each row, `[N]`, each in `0 .. V - 1`.
 * @throws {ShapeError} when shapes or types disagree, or there are no rows.
 * @throws {DataError} for a target out of range.
 */
export function linearCrossEntropy(
  rows: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: Int32Array,
  options: LinearCrossEntropyOptions = {},
): LinearCrossEntropy {
  const { N: count } = assertShape(rows, 'N D', 'rows') as { N: number };
  const { V: classes } = assertShape(weight, 'V D', 'weight', { D: rows.shape[1] });
  assertDtype(rows, 'float32', 'rows');
  assertDtype(weight, 'float32', 'weight');
  assertTargets(targets, count, classes!);
  const { scale = 1, cap = null, isWeightConstant = false, partValues = 2 ** 23 } = options;
  const partRows = Math.max(1, Math.floor(partValues / classes!));
  const rules = { weight, scale, cap };
  let rowLosses: tf.Tensor1D | undefined;
  const loss = jointGradient(isWeightConstant ? [rows] : [rows, weight], (isRecording) => {
    const wants = { rows: isRecording, weight: isRecording && !isWeightConstant };
    const found = sumOfParts({ rows, targets, partRows }, rules, wants);
    rowLosses = tf.keep(found.losses);
    return found;
  });
  return { loss, rowLosses: rowLosses! };
}

function assertTargets(targets: Int32Array, count: number, classes: number): void {
  if (count === 0 || targets.length !== count) {
    throw new ShapeError(
      `tensor/linearCrossEntropy: ${count} rows have ${targets.length} targets.`,
      { expected: 'a target for each of at least one row', got: String(targets.length) },
    );
  }
  const at = targets.findIndex((target) => target < 0 || target >= classes);
  if (at < 0) return;
  throw new DataError(
    `tensor/linearCrossEntropy: targets[${at}] is ${targets[at]}, outside 0 .. ${classes - 1}.`,
    { help: 'Check the targets against the rows of the matrix.' },
  );
}

interface Wants {
  readonly rows: boolean;
  readonly weight: boolean;
}

function sumOfParts(
  all: {
    readonly rows: tf.Tensor2D;
    readonly targets: Int32Array;
    readonly partRows: number;
  },
  rules: Rules,
  wants: Wants,
): JointGradient & { readonly losses: tf.Tensor1D } {
  const [count, width] = all.rows.shape;
  const parts: PartResult[] = [];
  let weight: tf.Tensor2D | null = null;
  for (let start = 0; start < count; start += all.partRows) {
    const size = Math.min(all.partRows, count - start);
    const targets = all.targets.subarray(start, start + size);
    const part = tf.tidy(() => {
      const rows = size === count ? all.rows : tf.slice2d(all.rows, [start, 0], [size, width]);
      return ofPart({ rows, targets: tf.tensor1d(targets, 'int32') }, rules, wants);
    });
    if (part.weight !== undefined)
      weight = weight === null ? part.weight : sum(weight, part.weight);
    parts.push(part);
  }
  const joined = <T extends tf.Tensor>(pieces: readonly T[]): T =>
    pieces.length === 1 ? pieces[0]! : tf.concat([...pieces], 0);
  const losses = joined(parts.map((part) => part.losses));
  const value = tf.mul(tf.sum(losses), rules.scale) as tf.Scalar;
  if (!wants.rows) return { value, losses, gradients: [] };
  const rows = joined(parts.map((part) => part.rows!));
  return { value, losses, gradients: weight === null ? [rows] : [rows, weight] };
}

/** The sum in the place of the first one where that can be; both are given up. */
function sum(first: tf.Tensor2D, second: tf.Tensor2D): tf.Tensor2D {
  const isDone = addInPlace(first, second);
  const total = isDone ? first : tf.add(first, second);
  tf.dispose(isDone ? [second] : [first, second]);
  return total as tf.Tensor2D;
}

function ofPart({ rows, targets }: Part, rules: Rules, wants: Wants): PartResult {
  const { weight, scale, cap } = rules;
  const { logs, slopes } = tf.tidy(() => logShares(rows, weight, cap));
  const losses = tf.neg(entriesAt(logs, targets)) as tf.Tensor1D;
  if (!wants.rows) return { losses };
  const shares = tf.exp(logs);
  logs.dispose();
  // The chain rule through the cap; of the target's own logit alone, [n, 1].
  const pulls = slopes === undefined ? shares : tf.mul(shares, slopes);
  const factors = slopes === undefined ? null : tf.expandDims(entriesAt(slopes, targets), 1);
  const pulled = (x: tf.Tensor2D) => (factors === null ? x : tf.mul<tf.Tensor2D>(x, factors));
  const towards = pulled(gatherRows(weight, targets));
  const rowGradients = tf.mul(tf.sub(tf.matMul(pulls, weight), towards), scale) as tf.Tensor2D;
  if (!wants.weight) return { losses, rows: rowGradients };
  const scaled = tf.mul(rows, scale) as tf.Tensor2D;
  const away = segmentSum(tf.neg(pulled(scaled)) as tf.Tensor2D, targets, weight.shape[0]);
  const products = tf.matMul(pulls, scaled, true) as tf.Tensor2D;
  return { losses, rows: rowGradients, weight: sum(products, away) };
}

/** Logarithms of the softmax and slopes of the cap, `[n, V]`. */
function logShares(
  rows: tf.Tensor2D,
  weight: tf.Tensor2D,
  cap: number | null,
): { logs: tf.Tensor2D; slopes?: tf.Tensor2D } {
  const logits = tf.matMul<tf.Tensor2D>(rows, weight, false, true);
  if (cap === null) return { logs: logSoftmax(logits) };
  const bent = tf.tanh(tf.div(logits, cap));
  const slopes = tf.sub(1, tf.square(bent)) as tf.Tensor2D;
  return { logs: logSoftmax(tf.mul(bent, cap) as tf.Tensor2D), slopes };
}

/** Entry `targets[n]` of each row n, `[N]`. */
function entriesAt(x: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() => {
    const [count, width] = x.shape;
    const starts = tf.mul(tf.range(0, count, 1, 'int32'), tf.scalar(width, 'int32'));
    const places = tf.add(starts, targets) as tf.Tensor1D;
    return tf.reshape(gatherRows(tf.reshape(x, [count * width, 1]), places), [
      count,
    ]) as tf.Tensor1D;
  });
}
