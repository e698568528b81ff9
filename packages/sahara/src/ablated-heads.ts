/**
 * What heads give ablated, where it follows from what they give and from their values.
 */
import { tf } from '@lab/tensor';
import type { Architecture } from '@lab/transformer';
import type { ResolvedAblation } from './ablation.js';

/** Texts filled up on the left, as masks say. */
export interface VisibleTokens {
  readonly length: number;
  /** 1 for a token, 0 for padding; undefined where all count. */
  readonly mask: readonly (readonly number[])[] | undefined;
}

/** What a layer has of its heads. */
export interface HeadValues {
  /** What the heads give, `[B, T, H, F]`. */
  readonly intact: tf.Tensor4D;
  /** `[B, T, G, F]`; each serves H / G heads of queries. */
  readonly values: tf.Tensor4D;
}

/**
 * How an ablation makes what heads give of what they gave; null where it takes their patterns.
 *
 * An even pattern collects running means of the values over the tokens that are visible, and a
 * factor of pattern, values or outputs is a factor of what is given; `source`: what another prompt
 * gives.
 */
export function directAblation({
  kind,
  site,
  eps,
}: ResolvedAblation): 'factor' | 'running-mean' | 'source' | null {
  if (kind === 'mean') return null;
  if (kind === 'patch') return 'source';
  const isOfScores = site === 'q' || site === 'k' || site === 'scores';
  const isEven = kind === 'uniform' || (isOfScores && (kind === 'zero' || eps === 0));
  if (isEven) return 'running-mean';
  return isOfScores ? null : 'factor';
}

/** All heads of a layer ablated, `[B, T, H, F]`; within a tidy. */
export function ablatedHeads(
  how: 'factor' | 'running-mean',
  { intact, values }: HeadValues,
  {
    ablation: { kind, eps },
    tokens,
    window,
  }: {
    readonly ablation: ResolvedAblation;
    readonly tokens: VisibleTokens;
    /** Tokens that a query sees; null for all before it. */
    readonly window: number | null;
  },
): tf.Tensor4D {
  if (how === 'factor') return tf.mul(intact, kind === 'zero' ? 0 : eps);
  const [batch, length, groups, width] = values.shape;
  const headCount = intact.shape[2];
  const weights = evenWeights(tokens, window, batch);
  const flat = tf.reshape(values, [batch, length, groups * width]) as tf.Tensor3D;
  const means = tf.reshape(tf.matMul(weights, flat), [batch, length, groups, 1, width]);
  const copies = tf.tile(means, [1, 1, 1, headCount / groups, 1]);
  return tf.reshape(copies, [batch, length, headCount, width]);
}

/** Weights of an even pattern, `[B, T, T]`: those of a query without visible tokens are 0. */
function evenWeights(
  { length, mask }: VisibleTokens,
  window: number | null,
  batch: number,
): tf.Tensor3D {
  const weights = new Float32Array(batch * length * length);
  for (let text = 0; text < batch; text += 1) {
    const counts = (token: number) => mask === undefined || mask[text]![token] !== 0;
    for (let query = 0; query < length; query += 1) {
      const first = window === null ? 0 : Math.max(0, query - window + 1);
      let visible = 0;
      for (let key = first; key <= query; key += 1) visible += counts(key) ? 1 : 0;
      const row = (text * length + query) * length;
      for (let key = first; key <= query; key += 1) {
        if (counts(key)) weights[row + key] = 1 / visible;
      }
    }
  }
  return tf.tensor3d(weights, [batch, length, length]);
}

/** The window of a layer. */
export const windowOf = ({ blocks }: Pick<Architecture, 'blocks'>, layer: number): number | null =>
  blocks[layer]!.window;
