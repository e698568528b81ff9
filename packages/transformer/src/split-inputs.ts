/**
 * What attention and MLP read, where it is changed and the residual is not: optional places, made
 * where they are named.
 *
 * Source: TransformerLensOrg/TransformerLens/transformer_lens/components/transformer_block.py
 * (`use_attn_in`, `use_split_qkv_input`, `use_hook_mlp_in`).
 */
import { tf } from '@lab/tensor';
import type { NormRules } from './architecture.js';
import type { BlockContext } from './block.js';
import { normalised } from './normalised.js';
import type { Norm } from './weights/block-weights.js';

/** What changed inputs of heads add behind the norm, `[B, T, H, D]`; null where none is changed. */
export interface InputChanges {
  readonly q: tf.Tensor4D | null;
  readonly k: tf.Tensor4D | null;
  readonly v: tf.Tensor4D | null;
}

const NONE: InputChanges = { q: null, k: null, v: null };

/**
 * Runs the hooks of `hook_attn_in`, `hook_q_input`, `hook_k_input` and `hook_v_input`: the residual
 * once for each head, so that what one of them reads can be changed and no other.
 *
 * @param x - the residual before the norm, `[B, T, D]`.
 */
export function inputChanges(x: tf.Tensor3D, norm: Norm, context: BlockContext): InputChanges {
  const { architecture, block, hooks } = context;
  if (hooks.isEmpty) return NONE;
  const { headCount, keyValueHeadCount: count, norm: rules } = architecture;
  const changed = (what: string, before: () => tf.Tensor4D): tf.Tensor4D | null => {
    const name = `blocks.${block}.hook_${what}`;
    if (!hooks.wants(name)) return null;
    const value = before();
    const after = hooks.run(name, value, block);
    return after === value ? null : after;
  };
  const all = headCount === count ? changed('attn_in', () => forHeads(x, headCount)) : null;
  const change = (what: 'k' | 'q' | 'v', own: number) => {
    const input = changed(`${what}_input`, () => all ?? forHeads(x, own)) ?? all;
    return input === null ? null : normChange(input, tf.expandDims(x, 2), norm, rules);
  };
  return { q: change('q', headCount), k: change('k', count), v: change('v', count) };
}

/**
 * What rows that were changed before a norm add behind it: what hooks at the norm make of the rows
 * as they were stays.
 *
 * @returns of the shape of `after`.
 */
export function normChange<T extends tf.Tensor>(
  after: T,
  before: tf.Tensor,
  norm: Norm,
  rules: NormRules,
): T {
  return tf.sub(normalised(after, norm, rules), normalised(before, norm, rules));
}

/** `[B, T, D]` as `[B, T, H, D]`, the same for each head. */
function forHeads(x: tf.Tensor3D, count: number): tf.Tensor4D {
  return tf.tile(tf.expandDims<tf.Tensor4D>(x, 2), [1, 1, count, 1]);
}
