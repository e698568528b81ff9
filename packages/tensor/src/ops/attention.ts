import { ShapeError } from '@lab/core';
import { hasKernel, runKernel } from '../engine.js';
import { assertDtype } from '../shape.js';
import { tf } from '../tfjs.js';
import { composedAttention } from './attention-composed.js';

/** Settings of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /** Whether query i sees the keys up to `i + queryOffset` alone; default false. */
  readonly causal?: boolean;
  /** Position of the first query among the keys, with a key-value cache `S - T`; default 0. */
  readonly queryOffset?: number;
  /**
   * Added to the scores of each key, `[S]` or `[M, S]` where M divides the number of heads of
   * queries (M = B: one row for each sequence of a batch); minus infinity hides a key. A constant:
   * it gets no gradient. Default zeros.
   */
  readonly keyMask?: tf.Tensor;
  /** Factor of the scalar products; default `1 / sqrt(D)`. */
  readonly scale?: number;
}

function fail(what: string, expected: string, got: string): never {
  throw new ShapeError(`tensor/attention: ${what}, expected ${expected}, got ${got}.`, {
    expected,
    got,
  });
}

const shown = (x: tf.Tensor): string => `[${x.shape.join(', ')}]`;

function flatHeads(x: tf.Tensor, name: string): tf.Tensor3D {
  assertDtype(x, 'float32', name);
  if (x.rank < 3) fail(`${name} has too few axes`, '[..., heads, tokens, features]', shown(x));
  if (x.rank === 3) return x as tf.Tensor3D;
  const [rows, width] = x.shape.slice(-2) as [number, number];
  return tf.reshape(x, [tf.util.sizeFromShape(x.shape.slice(0, -2)), rows, width]);
}

/** The size of axis `-back`. */
const axisOf = (x: tf.Tensor, back: number): number => x.shape[x.rank - back] as number;

function checkSides(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): void {
  const batch = (x: tf.Tensor) => x.shape.slice(0, -3).join();
  if (k.rank !== q.rank || batch(k) !== batch(q)) {
    fail('q and k have different batches', `that of ${shown(q)}`, shown(k));
  }
  if (axisOf(q, 1) !== axisOf(k, 1)) {
    fail('q and k have different features', `${axisOf(q, 1)} in k`, `${axisOf(k, 1)}`);
  }
  if (k.shape.slice(0, -1).join() !== v.shape.slice(0, -1).join()) {
    fail('k and v have different heads or tokens', `[${k.shape.slice(0, -1)}, *]`, shown(v));
  }
  const [heads, kvHeads] = [axisOf(q, 3), axisOf(k, 3)];
  if (heads !== kvHeads && (kvHeads === 0 || heads % kvHeads !== 0)) {
    fail('the heads of q are no multiple of those of k', `a divisor of ${heads}`, `${kvHeads}`);
  }
}

/** The mask as `[M, S]`. */
function maskRows(mask: tf.Tensor | undefined, heads: number, keys: number): tf.Tensor2D {
  if (mask === undefined) return tf.zeros([1, keys]);
  assertDtype(mask, 'float32', 'keyMask');
  const rows = mask.rank === 1 ? 1 : (mask.shape[0] as number);
  const fits = mask.rank <= 2 && mask.shape.at(-1) === keys && rows > 0 && heads % rows === 0;
  if (!fits) fail('keyMask does not fit', `[${keys}] or [M, ${keys}], M | ${heads}`, shown(mask));
  return tf.reshape(mask, [rows, keys]);
}

/**
 * Values collected by the softmax of scaled scalar products of queries and keys.
 *
 * `y_i = sum_j a_ij v_j`, `a_ij = softmax_j(scale q_i . k_j + keyMask_j)`. On wasm one kernel
 * forward and one backward, in blocks of queries and keys with a running softmax, so that never
 * more than a block of scores is held; the backward pass computes them again from one number a
 * query. Other backends hold all scores. A query that sees no key gives zeros.
 * Source: Vaswani et al., Attention Is All You Need, eq. (1); blocks: Dao et al., FlashAttention,
 * algorithm 1; equation not verified.
 *
 * @param q - queries `[..., H, T, D]`, at least three axes.
 * @param k - keys `[..., G, S, D]`; G divides H: a head of keys serves H / G neighbouring heads.
 * @param v - values `[..., G, S, C]`.
 * @returns `[..., H, T, C]`.
 * @throws {ShapeError} when shapes or types disagree.
 */
export function scaledDotProductAttention<T extends tf.Tensor>(
  q: T,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttentionOptions = {},
): T {
  return tf.tidy(() => {
    const heads = { q: flatHeads(q, 'q'), k: flatHeads(k, 'k'), v: flatHeads(v, 'v') };
    checkSides(q, k, v);
    const { causal = false, queryOffset = 0 } = options;
    const scale = options.scale ?? 1 / Math.sqrt(Math.max(axisOf(q, 1), 1));
    const keyMask = maskRows(options.keyMask, heads.q.shape[0], axisOf(k, 2));
    const output = hasKernel('LabAttention')
      ? runKernel('LabAttention', { ...heads, keyMask }, { causal, queryOffset, scale })[0]
      : composedAttention({ ...heads, keyMask, causal, queryOffset, scale });
    return tf.reshape(output as tf.Tensor, [...q.shape.slice(0, -1), axisOf(v, 1)]) as T;
  });
}
