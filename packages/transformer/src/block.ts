/**
 * One block of a decoder, as its family's switches have it.
 */
import { tf } from '@lab/tensor';
import type { Architecture, BlockRules } from './architecture.js';
import { attend, attendFrom, type Mixing } from './attention.js';
import { oneToken } from './captures.js';
import type { HookRunner } from './hooks.js';
import { feedForward } from './mlp.js';
import { hookedNorm } from './normalised.js';
import type { Turning } from './positions.js';
import { inputChanges, normChange } from './split-inputs.js';
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
  /** What the heads give, `[B, T, H, F]`: attention is not computed then. */
  readonly headOutputs?: tf.Tensor4D | undefined;
  /** Rows in `[B T]` of the tokens that the block is computed for, one a text; default all. */
  readonly lastTokens?: Int32Array | undefined;
}

/**
 * The residual after a block: `x + attention(norm(x))`, then `+ mlp(norm(...))`; in parallel blocks
 * both read x.
 *
 * @param x - `[B, T, D]`.
 * @returns `[B, T, D]`, or `[B, 1, D]` of the last tokens.
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
    const all = run('resid_pre', x);
    const before = ofTokens(all, context);
    const given = context.headOutputs;
    const isNormed = given === undefined || weights.norm2 === null;
    const first = isNormed ? normOf(all, weights.norm1, 'ln1') : null;
    // What either half makes within is freed at its end: the two are never there together.
    const attention = tf.tidy(() => {
      const attended =
        given === undefined
          ? attend(first!, weights, context, inputChanges(all, weights.norm1, context))
          : attendFrom(given, weights, context);
      return run('attn_out', after(attended, weights.postNorm1, ['attn', 'ln1_post']));
    });
    const mlpOf = (from: tf.Tensor3D) =>
      tf.tidy(() => {
        const { norm1, norm2 } = weights;
        const read = run('mlp_in', from);
        const shared = norm2 === null ? ofTokens(first!, context) : null;
        const changed: tf.Tensor3D | null =
          shared === null || read === from
            ? shared
            : tf.add(shared, normChange(read, from, norm1, architecture.norm));
        const second = changed ?? normOf(read, norm2!, 'ln2');
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

/** The tokens that a block is computed for. */
const ofTokens = (x: tf.Tensor3D, { lastTokens }: BlockContext): tf.Tensor3D =>
  lastTokens === undefined ? x : (oneToken(x, lastTokens) as tf.Tensor3D);
