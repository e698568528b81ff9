/**
 * One block of a decoder, as its family's switches have it.
 */
import { tf } from '@lab/tensor';
import type { Architecture, BlockRules } from './architecture.js';
import { attend } from './attention.js';
import type { HookRunner } from './hooks.js';
import { feedForward } from './mlp.js';
import { hookedNorm } from './normalised.js';
import type { PositionTables } from './positions.js';
import type { BlockWeights, Norm } from './weights/block-weights.js';

/** What a block needs beside its weights. */
export interface BlockContext {
  readonly architecture: Architecture;
  readonly block: number;
  readonly rules: BlockRules;
  readonly positions: PositionTables;
  readonly hooks: HookRunner;
  /** T. */
  readonly length: number;
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
    const after = (value: tf.Tensor3D, norm: Norm | null, name: string) =>
      norm === null ? value : normOf(value, norm, name);
    const mlp = { ...architecture, hooks, block, name: `blocks.${block}.mlp` };
    const before = run('resid_pre', x);
    const first = normOf(before, weights.norm1, 'ln1');
    const attended = attend(first, weights, context);
    const attention = run('attn_out', after(attended, weights.postNorm1, 'ln1_post'));
    if (architecture.isParallel) {
      const second = weights.norm2 === null ? first : normOf(before, weights.norm2, 'ln2');
      const fed = run('mlp_out', feedForward(second, weights, mlp));
      return run('resid_post', tf.add(tf.add(before, attention), fed));
    }
    const middle = run('resid_mid', tf.add(before, attention));
    const second = normOf(middle, weights.norm2!, 'ln2');
    const fed = feedForward(second, weights, mlp);
    const added = run('mlp_out', after(fed, weights.postNorm2, 'ln2_post'));
    return run('resid_post', tf.add(middle, added));
  });
}
