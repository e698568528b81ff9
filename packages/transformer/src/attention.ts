/**
 * Attention of one block, with every step reachable.
 */
import { scaledDotProductAttention, softmax, tf } from '@lab/tensor';
import type { BlockContext } from './block.js';
import { oneToken } from './captures.js';
import type { HookRunner } from './hooks.js';
import { linear } from './linear.js';
import { normalised } from './normalised.js';
import type { PositionTables } from './positions.js';
import type { InputChanges } from './split-inputs.js';
import type { BlockWeights, Linear, Norm } from './weights/block-weights.js';
import { matrixFloats, rowCount } from './weights/weight-matrix.js';

/**
 * What attention adds to the residual, `[B, T, D]`.
 *
 * Source: Vaswani et al., Attention Is All You Need; groups of queries that share a head of keys:
 * Ainslie et al., GQA.
 *
 * @param x - the normalised residual, `[B, T, D]`.
 * @param changes - of what single heads read of it.
 * @returns `[B, T, D]`, or `[B, 1, D]` of the last tokens.
 */
export function attend(
  x: tf.Tensor3D,
  weights: BlockWeights,
  context: BlockContext,
  changes: InputChanges,
): tf.Tensor3D {
  const { architecture, block, hooks, lastTokens } = context;
  const { headCount, keyValueHeadCount: count } = architecture;
  const name = (what: string) => `blocks.${block}.attn.hook_${what}`;
  const headsOf = (
    from: tf.Tensor3D,
    own: Linear,
    of: { count: number; what: 'k' | 'q' | 'v' },
  ) => {
    const plain = heads(linear(from, own), of.count);
    const change = changes[of.what];
    const made = change === null ? plain : tf.add(plain, headProducts(change, own));
    return hooks.runHeads(name(of.what), made as tf.Tensor4D, block);
  };
  const asking = lastTokens === undefined ? x : (oneToken(x, lastTokens) as tf.Tensor3D);
  const query = headsOf(asking, weights.query, { count: headCount, what: 'q' });
  const key = ungrouped(headsOf(x, weights.key, { count, what: 'k' }), context, 'k');
  const value = ungrouped(headsOf(x, weights.value, { count, what: 'v' }), context, 'v');
  const placed = {
    query: turnedHeads(query, weights.queryNorm, context, 'rot_q'),
    key: turnedHeads(key, weights.keyNorm, context, 'rot_k'),
    value,
  };
  const z = hooks.runHeads(name('z'), context.mix(placed, context), block);
  return joined(z, weights.output, { hooks, block, name: `blocks.${block}.attn` });
}

/**
 * As {@link attend}, where it is known what the heads give: nothing but the output is computed.
 *
 * @param z - `[B, T, H, F]`, or of the last tokens alone `[B, 1, H, F]`.
 */
export function attendFrom(
  z: tf.Tensor4D,
  weights: BlockWeights,
  { hooks, block, lastTokens }: BlockContext,
): tf.Tensor3D {
  const asked = lastTokens === undefined ? z : (oneToken(z, lastTokens) as tf.Tensor4D);
  const placed = tf.transpose(asked, [0, 2, 1, 3]) as tf.Tensor4D;
  return joined(placed, weights.output, { hooks, block, name: `blocks.${block}.attn` });
}

/** `[B, T, H F]` as `[B, H, T, F]`. */
export function heads(x: tf.Tensor3D, count: number): tf.Tensor4D {
  const [batch, length, width] = x.shape;
  const split = tf.reshape(x, [batch, length, count, width / count]);
  return tf.transpose(split, [0, 2, 1, 3]) as tf.Tensor4D;
}

/**
 * Rows of each head through its own part of a matrix, without the bias.
 *
 * @param x - `[B, T, H, D]`.
 * @returns `[B, H, T, F]`.
 */
function headProducts(x: tf.Tensor4D, { weight }: Linear): tf.Tensor4D {
  const [, , count, width] = x.shape;
  const size = rowCount(weight) / count;
  const apart = tf.reshape(matrixFloats(weight), [count, size, width]);
  const matrices = tf.transpose(apart, [0, 2, 1]) as tf.Tensor3D;
  return ownProducts(tf.transpose(x, [2, 0, 1, 3]), matrices);
}

/**
 * Rows of each head times a matrix of its own.
 *
 * @param x - `[H, B, T, F]`.
 * @param matrices - `[H, F, G]`.
 * @returns `[B, H, T, G]`.
 */
function ownProducts(x: tf.Tensor4D, matrices: tf.Tensor3D): tf.Tensor4D {
  const [count, batch, length, width] = x.shape;
  const rows = tf.reshape<tf.Rank.R3>(x, [count, batch * length, width]);
  const products = tf.reshape(tf.matMul(rows, matrices), [count, batch, length, -1]);
  return tf.transpose(products, [1, 0, 2, 3]) as tf.Tensor4D;
}

/**
 * Keys or values of every head of queries, where a hook wants them one by one; else as they are.
 */
function ungrouped(x: tf.Tensor4D, { hooks, block, architecture }: BlockContext, what: string) {
  const name = `blocks.${block}.attn.hook_${what}_heads`;
  if (!hooks.wants(name)) return x;
  return hooks.runHeads(name, repeated(x, architecture.headCount), block);
}

/** Each head so often that there are as many as heads of queries. */
export function repeated(x: tf.Tensor4D, headCount: number): tf.Tensor4D {
  const [batch, groups, length, width] = x.shape;
  if (groups === headCount) return x;
  const apart = tf.reshape(x, [batch, groups, 1, length, width]);
  const copies = tf.tile(apart, [1, 1, headCount / groups, 1, 1]);
  return tf.reshape(copies, [batch, headCount, length, width]);
}

function turnedHeads(
  x: tf.Tensor4D,
  norm: Norm | null,
  context: BlockContext,
  what: 'rot_k' | 'rot_q',
): tf.Tensor4D {
  const { architecture, rules, positions, hooks, block, lastTokens } = context;
  const own = norm === null ? x : normalised(x, norm, architecture.norm);
  if (rules.rotary === null) return own;
  const turned = positions.turned(own, rules.rotary, what === 'rot_q' ? lastTokens : undefined);
  const seen = hooks.runHeads(`blocks.${block}.attn.hook_${what}`, turned, block);
  return what === 'rot_k' ? ungrouped(seen, context, what) : seen;
}

/** Queries, keys and values, `[B, H, T, F]`; keys and values may have fewer heads. */
export interface Heads {
  readonly query: tf.Tensor4D;
  readonly key: tf.Tensor4D;
  readonly value: tf.Tensor4D;
}

const SCORES = ['attn_scores_raw', 'attn_scores', 'pattern'] as const;

/** What scores depend on beside the heads. */
export type ScoreContext = Pick<BlockContext, 'architecture' | 'block' | 'hooks' | 'rules'>;

/** Values collected by every head, `[B, H, T, F]`. */
export type Mixing = (heads: Heads, context: BlockContext) => tf.Tensor4D;

/** Attention of all tokens of a batch among each other. */
export const mixingOf =
  (positions: PositionTables): Mixing =>
  (heads, context) =>
    mixed(heads, context, positions);

/** Whether anything is called at scores or patterns. */
export const wantsScores = ({ hooks, block }: Pick<ScoreContext, 'block' | 'hooks'>): boolean =>
  SCORES.some((what) => hooks.wants(`blocks.${block}.attn.hook_${what}`));

function mixed(placed: Heads, context: BlockContext, positions: PositionTables): tf.Tensor4D {
  const { query, key, value } = placed;
  const { architecture, rules, lastTokens } = context;
  const isWindowed = rules.window !== null && rules.window < key.shape[2];
  const isPlain =
    !isWindowed &&
    architecture.scoreCap === null &&
    architecture.positions.kind !== 'alibi' &&
    key.shape[1] === value.shape[1] &&
    !wantsScores(context);
  if (isPlain) {
    const keyMask = positions.keyMask();
    const masked = keyMask === undefined ? {} : { keyMask };
    return scaledDotProductAttention(query, key, value, {
      // What the last token does not see is padding.
      ...{ causal: lastTokens === undefined, scale: rules.scoreScale },
      ...masked,
    });
  }
  const window = isWindowed ? rules.window : null;
  return mixedByScores(placed, context, {
    mask: positions.scoreMask(window, lastTokens),
    biases: architecture.positions.kind === 'alibi' ? positions.alibi() : null,
  });
}

/**
 * Values collected by every head, with the scores reachable.
 *
 * @param mask - added to scores, `[B or 1, 1, T, S]`.
 * @param biases - of positions, added before the scale, `[B, H, 1, S]`.
 */
export function mixedByScores(
  { query, key, value }: Heads,
  { architecture, rules, hooks, block }: ScoreContext,
  { mask, biases }: { readonly mask: tf.Tensor4D; readonly biases: tf.Tensor4D | null },
): tf.Tensor4D {
  const { scoreCap, headCount } = architecture;
  const keys = tf.transpose(repeated(key, headCount), [0, 1, 3, 2]);
  const run = (what: (typeof SCORES)[number], scores: tf.Tensor) =>
    hooks.run(`blocks.${block}.attn.hook_${what}`, scores, block);
  const products = tf.matMul(query, keys as tf.Tensor4D);
  const biased = biases === null ? products : tf.add(products, biases);
  const raw = run('attn_scores_raw', tf.mul(biased, rules.scoreScale));
  const capped = scoreCap === null ? raw : tf.mul(tf.tanh(tf.div(raw, scoreCap)), scoreCap);
  const pattern = run('pattern', softmax(run('attn_scores', tf.add(capped, mask))));
  return tf.matMul(pattern as tf.Tensor4D, repeated(value, headCount)) as tf.Tensor4D;
}

/**
 * The heads brought back into the residual, with the hook `NAME.hook_result`.
 *
 * @param z - `[B, H, T, F]`.
 * @returns `[B, T, D]`.
 */
export function joined(
  z: tf.Tensor4D,
  weights: Linear,
  {
    hooks,
    block,
    name,
  }: { readonly hooks: HookRunner; readonly block: number; readonly name: string },
): tf.Tensor3D {
  const [batch, count, length, width] = z.shape;
  const place = `${name}.hook_result`;
  const last = hooks.onlyLast(place);
  if (last !== null) {
    const apart = oneToken(tf.transpose(z, [0, 2, 1, 3]), last);
    const rows = tf.transpose(apart, [0, 2, 1, 3]) as tf.Tensor4D;
    hooks.runHeads(place, headResults(rows, weights), block);
  }
  if (last !== null || !hooks.wants(place)) {
    const rows = tf.reshape(tf.transpose(z, [0, 2, 1, 3]), [batch, length, count * width]);
    return linear(rows as tf.Tensor3D, weights);
  }
  const results = hooks.runHeads(place, headResults(z, weights), block);
  const sum = tf.sum(results, 1) as tf.Tensor3D;
  return weights.bias === null ? sum : tf.add(sum, weights.bias);
}

/**
 * What each head adds, `z_h W_h`: the output's matrix cut into those of the heads.
 *
 * @param z - `[B, H, T, F]`.
 * @returns `[B, H, T, D]`; without the bias, which belongs to no head.
 */
function headResults(z: tf.Tensor4D, { weight }: Linear): tf.Tensor4D {
  const [, count, , width] = z.shape;
  const size = rowCount(weight);
  const apart = tf.reshape(matrixFloats(weight), [size, count, width]);
  const matrices = tf.transpose(apart, [1, 2, 0]) as tf.Tensor3D;
  return ownProducts(tf.transpose(z, [1, 0, 2, 3]), matrices);
}
