/**
 * One block of a decoder, as its family's switches have it.
 */
import { tf } from '@lab/tensor';
import type { Architecture, BlockRules } from './architecture.js';
import { attend, type Mixing } from './attention.js';
import type { HookRunner } from './hooks.js';
import { feedForward } from './mlp.js';
import { hookedNorm } from './normalised.js';
import type { Turning } from './positions.js';
import type { BlockWeights, Norm } from './weights/block-weights.js';

/** What a block needs beside its weights. */
export interface BlockContext {
  readonly architecture: Architecture;
  readonly block: number;
  readonly rules: BlockRules;
  readonly positions: Turning;
  readonly hooks: HookRunner;
  /** How values are collected. */
  readonly mix: Mixing;
}

/**
 * The residual after a block: `x + attention(norm(x))`, then `+ mlp(norm(...))`; in parallel blocks
 * both read x.
 *
 * @param x - `[B, T, D]`.
 */
export function runBlock(
  x: tf.Tensor3D,
  weights: BlockWeights,
  context: BlockContext,
): tf.Tensor3D {
  return tf.tidy(() => {
    const { architecture, hooks, block } = context;
    const run = (what: string, value: tf.Tensor3D) =>
      hooks.run(`blocks.${block}.hook_${what}`, value, block);
    const normOf = (value: tf.Tensor3D, norm: Norm, name: string) =>
      hookedNorm(value, norm, {
        ...{ rules: architecture.norm, hooks, block, name: `blocks.${block}.${name}` },
      });
    const after = (value: tf.Tensor3D, norm: Norm | null, [part, name]: [string, string]) =>
      norm === null
        ? value
        : normOf(hooks.run(`blocks.${block}.${part}.hook_out`, value, block), norm, name);
    const mlp = { ...architecture, hooks, block, name: `blocks.${block}.mlp` };
    const before = run('resid_pre', x);
    const first = normOf(before, weights.norm1, 'ln1');
    // What either half makes within is freed at its end: the two are never there together.
    const attention = tf.tidy(() => {
      const attended = attend(first, weights, context);
      return run('attn_out', after(attended, weights.postNorm1, ['attn', 'ln1_post']));
    });
    const mlpOf = (from: tf.Tensor3D) =>
      tf.tidy(() => {
        const second = weights.norm2 === null ? first : normOf(from, weights.norm2, 'ln2');
        const fed = feedForward(second, weights, mlp);
        return run('mlp_out', after(fed, weights.postNorm2, ['mlp', 'ln2_post']));
      });
    if (architecture.isParallel) {
      return run('resid_post', tf.add(tf.add(before, attention), mlpOf(before)));
    }
    const middle = run('resid_mid', tf.add(before, attention));
    return run('resid_post', tf.add(middle, mlpOf(middle)));
  });
}
