import { ShapeError } from '@lab/core';
import { hasKernel, runSingle } from '../engine.js';
import { tf } from '../tfjs.js';
import { assertFeatures } from './features.js';

/** Settings of {@link rotaryEmbedding}. */
export interface RotaryOptions {
  /** Position of the first token; with a key-value cache the tokens before it. Default 0. */
  readonly offset?: number;
  /** Position of each token, `[T]`, in place of those from `offset` on. */
  readonly positions?: ArrayLike<number>;
  /** b of the angles; default 10,000. */
  readonly base?: number;
  /** Leading features that turn, an even number; the others stay. Default D. */
  readonly rotaryDim?: number;
  /** Pairs (2i, 2i + 1) as in RoFormer and GPT-J; default false: (i, i + R / 2) as in LLaMA. */
  readonly interleaved?: boolean;
  /**
   * Angle per position of each pair, `[R / 2]`, in place of those of the base. Of a Float32Array
   * the
   * products with positions are rounded to float32, too, as models in PyTorch have them.
   */
  readonly inverseFrequencies?: ArrayLike<number>;
}

/** Cosines and sines of all pairs and positions, `[T, R / 2]`. */
interface AngleTable {
  readonly cosines: Float32Array;
  readonly sines: Float32Array;
}

function frequenciesOf(pairs: number, { base = 10_000, inverseFrequencies }: RotaryOptions) {
  if (inverseFrequencies === undefined) {
    return Float64Array.from({ length: pairs }, (_, i) => base ** (-i / pairs));
  }
  if (inverseFrequencies.length === pairs) return inverseFrequencies;
  throw new ShapeError(
    `tensor: the rotary embedding of ${2 * pairs} features has ${pairs} angles, ` +
      `inverseFrequencies has ${inverseFrequencies.length}.`,
    { expected: `[${pairs}]`, got: `[${inverseFrequencies.length}]` },
  );
}

function angleTable(length: number, pairs: number, options: RotaryOptions): AngleTable {
  const frequencies = frequenciesOf(pairs, options);
  const { offset = 0, positions } = options;
  if (positions !== undefined && positions.length !== length) {
    throw new ShapeError(
      `tensor: the rotary embedding of ${length} tokens got ${positions.length} positions.`,
      { expected: `[${length}]`, got: `[${positions.length}]` },
    );
  }
  const isSingle = frequencies instanceof Float32Array;
  const cosines = new Float32Array(length * pairs);
  const sines = new Float32Array(length * pairs);
  for (let at = 0; at < cosines.length; at++) {
    const token = Math.floor(at / pairs);
    const position = positions?.[token] ?? offset + token;
    const exact = position * (frequencies[at % pairs] as number);
    const angle = isSingle ? Math.fround(exact) : exact;
    cosines[at] = Math.cos(angle);
    sines[at] = Math.sin(angle);
  }
  return { cosines, sines };
}

function checkRotaryDim(width: number, rotaryDim: number): void {
  if (rotaryDim >= 0 && rotaryDim <= width && rotaryDim % 2 === 0) return;
  throw new ShapeError(
    `tensor: the rotary embedding turns pairs of ${width} features, got rotaryDim ${rotaryDim}.`,
    { expected: `an even number up to ${width}`, got: String(rotaryDim) },
  );
}

/** Part of the last axis. */
function features(x: tf.Tensor, start: number, size: number): tf.Tensor {
  const begin = x.shape.map((_, axis) => (axis === x.rank - 1 ? start : 0));
  return tf.slice(x, begin, [...x.shape.slice(0, -1), size]);
}

function turned(x: tf.Tensor, table: AngleTable, interleaved: boolean): tf.Tensor {
  const length = x.shape.at(-2) as number;
  const pairs = (x.shape.at(-1) as number) / 2;
  const split = interleaved ? [pairs, 2] : [2, pairs];
  const axis = interleaved ? x.rank : x.rank - 1;
  const apart = tf.reshape(x, [...x.shape.slice(0, -1), ...split]);
  const [a, b] = tf.unstack(apart, axis) as [tf.Tensor, tf.Tensor];
  const cosines = tf.tensor(table.cosines, [length, pairs]);
  const sines = tf.tensor(table.sines, [length, pairs]);
  const first = tf.sub(tf.mul(a, cosines), tf.mul(b, sines));
  const second = tf.add(tf.mul(b, cosines), tf.mul(a, sines));
  return tf.reshape(tf.stack([first, second], axis), x.shape);
}

function composedRotary(x: tf.Tensor, table: AngleTable, interleaved: boolean): tf.Tensor {
  const length = x.shape.at(-2) as number;
  const width = x.shape.at(-1) as number;
  const rotaryDim = (2 * table.cosines.length) / length;
  if (rotaryDim === width) return turned(x, table, interleaved);
  const rest = features(x, rotaryDim, width - rotaryDim);
  return tf.concat([turned(features(x, 0, rotaryDim), table, interleaved), rest], -1);
}

/**
 * Pairs of features turned by an angle that grows with the token's position.
 *
 * Pair i, `(a, b)`, of the token at position p becomes
 * `(a cos w - b sin w, b cos w + a sin w)`, `w = p base^(-2i / R)`; scalar products of two turned
 * vectors then depend on the distance of their positions alone. Angles in float64, but for
 * frequencies in float32.
 * Source: Su et al., RoFormer, eqs. (14), (15), (34).
 *
 * @param x - `[..., T, D]`: one row per token, in order.
 * @returns the shape of `x`.
 * @throws {ShapeError} when `x` has fewer than two axes, R is odd or more than D, or
 *   the number of positions is not T.
 */
export function rotaryEmbedding<T extends tf.Tensor>(x: T, options: RotaryOptions = {}): T {
  const { D: width } = assertFeatures(x);
  const length = x.shape.at(-2);
  if (length === undefined) {
    throw new ShapeError(`tensor: x has shape [${x.shape}], expected [..., T, D].`, {
      expected: '[..., T, D]',
      got: `[${x.shape}]`,
    });
  }
  const { rotaryDim = width, interleaved = false } = options;
  checkRotaryDim(width, rotaryDim);
  if (x.size === 0 || rotaryDim === 0) return tf.clone(x);
  const pairs = rotaryDim / 2;
  const table = angleTable(length, pairs, options);
  if (!hasKernel('LabRotary')) return tf.tidy(() => composedRotary(x, table, interleaved) as T);
  return tf.tidy(() => {
    const cosines = tf.tensor2d(table.cosines, [length, pairs]);
    const sines = tf.tensor2d(table.sines, [length, pairs]);
    return runSingle<T>('LabRotary', { x, cosines, sines }, { interleaved, sign: 1 });
  });
}
