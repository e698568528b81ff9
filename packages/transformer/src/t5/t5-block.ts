/**
 * A block of either side of a T5.
 */
import { softmax, tf } from '@lab/tensor';
import { heads, joined } from '../attention.js';
import type { HookRunner } from '../hooks.js';
import { linear } from '../linear.js';
import { feedForward } from '../mlp.js';
import { hookedNorm } from '../normalised.js';
import type { T5Architecture } from './t5-config.js';
import type { T5Attention, T5Block, T5Side } from './t5-weights.js';

/** What a block reads beside its weights. */
export interface T5BlockContext {
  readonly architecture: T5Architecture;
  readonly hooks: HookRunner;
  readonly side: T5Side;
  readonly block: number;
  /** How values of the own tokens are collected. */
  readonly own: T5Mixing;
  /** How values of the encoder are; null in the encoder. */
  readonly cross: T5Mixing | null;
}

/** One attention of a block. */
export interface T5AttentionPlace {
  readonly weights: T5Attention;
  readonly architecture: T5Architecture;
  readonly hooks: HookRunner;
  readonly block: number;
  /** Of the hooks. */
  readonly name: string;
}

/**
 * Values collected by every head, `[B, H, T, F]`.
 *
 * @param query - `[B, H, T, F]`.
 * @param rows - the normalised residual that the queries come from, `[B, T, D]`.
 */
export type T5Mixing = (
  query: tf.Tensor4D,
  rows: tf.Tensor3D,
  place: T5AttentionPlace,
) => tf.Tensor4D;

/** The residual after a block, `[B, T, D]`. */
export function runT5Block(x: tf.Tensor3D, weights: T5Block, context: T5BlockContext): tf.Tensor3D {
  return tf.tidy(() => {
    const { architecture, hooks, side, block, own, cross } = context;
    const prefix = `${side}.${block}`;
    const run = (what: string, value: tf.Tensor3D) =>
      hooks.run(`${prefix}.hook_${what}`, value, block);
    const normOf = (value: tf.Tensor3D, norm: T5Attention['norm'], name: string) =>
      hookedNorm(value, norm, {
        ...{ rules: architecture.norm, hooks, block, name: `${prefix}.${name}` },
      });
    const at = { architecture, hooks, block };
    const before = run('resid_pre', x);
    const first = normOf(before, weights.own.norm, 'ln1');
    const place = { ...at, weights: weights.own, name: `${prefix}.attn` };
    let middle = run('resid_mid', tf.add(before, run('attn_out', attend(first, own, place))));
    if (weights.cross !== null && cross !== null) {
      const asked = normOf(middle, weights.cross.norm, 'ln2');
      const across = { ...at, weights: weights.cross, name: `${prefix}.cross_attn` };
      const added = run('cross_attn_out', attend(asked, cross, across));
      middle = run('resid_mid_cross', tf.add(middle, added));
    }
    const last = normOf(middle, weights.mlpNorm, weights.cross === null ? 'ln2' : 'ln3');
    const name = `${prefix}.mlp`;
    const { activation } = architecture;
    const fed = feedForward(last, weights, { activation, hooks, block, name });
    return run('resid_post', tf.add(middle, run('mlp_out', fed)));
  });
}

function attend(x: tf.Tensor3D, mixing: T5Mixing, place: T5AttentionPlace): tf.Tensor3D {
  const { weights, hooks, block, name } = place;
  const query = headsOf(x, weights.query, { ...place, what: 'q' });
  const z = hooks.runHeads(`${name}.hook_z`, mixing(query, x, place), block);
  return joined(z, weights.output, { hooks, block, name });
}

function headsOf(
  rows: tf.Tensor3D,
  own: T5Attention['key'],
  { architecture, hooks, block, name, what }: T5AttentionPlace & { readonly what: string },
): tf.Tensor4D {
  const split = heads(linear(rows, own), architecture.headCount);
  return hooks.runHeads(`${name}.hook_${what}`, split, block);
}

/** Keys and values of rows `[B, S, D]`, `[B, H, S, F]`. */
export function t5KeysValues(
  rows: tf.Tensor3D,
  place: T5AttentionPlace,
): { readonly key: tf.Tensor4D; readonly value: tf.Tensor4D } {
  return {
    key: headsOf(rows, place.weights.key, { ...place, what: 'k' }),
    value: headsOf(rows, place.weights.value, { ...place, what: 'v' }),
  };
}

/** What is added to the scores of queries and keys, each `[B or 1, H or 1, T or 1, S]`. */
export interface T5Biases {
  /** Of distances; null where there are none. */
  readonly distances: tf.Tensor | null;
  /** Hides padding and later tokens. */
  readonly mask: tf.Tensor;
  /** Both together. */
  readonly sum: tf.Tensor;
}

/**
 * Attention without a scale, with biases added to the scores.
 *
 * @param keys - rows of keys and values, `[B, S, D]`; default those of the queries.
 * @param keyHooks - called at keys and values; default those of the queries.
 */
export const t5Mixing =
  (biases: T5Biases, keys?: tf.Tensor3D, keyHooks?: HookRunner): T5Mixing =>
  (query, rows, place) => {
    const { hooks, block, name } = place;
    const from = { ...place, hooks: keyHooks ?? hooks };
    const { key, value } = t5KeysValues(keys ?? rows, from);
    const products = tf.matMul(query, tf.transpose(key, [0, 1, 3, 2]) as tf.Tensor4D);
    const biased = biasedScores(products, biases, place);
    const scores = hooks.run(`${name}.hook_attn_scores`, biased, block);
    const pattern = hooks.run(`${name}.hook_pattern`, softmax(scores), block);
    return tf.matMul(pattern as tf.Tensor4D, value) as tf.Tensor4D;
  };

function biasedScores(
  products: tf.Tensor,
  { distances, mask, sum }: T5Biases,
  { hooks, block, name }: T5AttentionPlace,
): tf.Tensor {
  const raw = `${name}.hook_attn_scores_raw`;
  if (!hooks.wants(raw)) return tf.add(products, sum);
  const before = distances === null ? products : tf.add(products, distances);
  return tf.add(hooks.run(raw, before, block), mask);
}
