/**
 * Norms with their inside reachable.
 */
import { layerNorm, rmsNorm, tf } from '@lab/tensor';
import type { NormRules } from './architecture.js';
import type { HookRunner } from './hooks.js';
import type { Norm } from './weights/block-weights.js';

/** Rows brought to one scale, then times gain plus bias. */
export function normalised<T extends tf.Tensor>(x: T, { gain, bias }: Norm, rules: NormRules): T {
  if (rules.kind === 'rms') return rmsNorm(x, gain, rules.epsilon);
  return layerNorm(x, gain, bias!, rules.epsilon);
}

/** As `normalised`, with the hooks `NAME.hook_scale` and `NAME.hook_normalized`. */
export function hookedNorm<T extends tf.Tensor>(
  x: T,
  norm: Norm,
  { rules, hooks, name, block }: HookedNorm,
): T {
  const scaleName = `${name}.hook_scale`;
  const plain = hooks.wants(scaleName)
    ? scaledNorm(x, norm, { rules, hooks, name: scaleName, block })
    : normalised(x, norm, rules);
  return hooks.run(`${name}.hook_normalized`, plain, block);
}

interface HookedNorm {
  readonly rules: NormRules;
  readonly hooks: HookRunner;
  readonly name: string;
  readonly block: number | null;
}

function scaledNorm<T extends tf.Tensor>(
  x: T,
  { gain, bias }: Norm,
  { rules, hooks, name, block }: HookedNorm,
): T {
  const centred = rules.kind === 'rms' ? x : tf.sub(x, tf.mean(x, -1, true));
  const square = tf.mean(tf.square(centred), -1, true);
  const scale = hooks.run(name, tf.sqrt(tf.add(square, rules.epsilon)), block);
  const scaled = tf.mul(tf.div(centred, scale), gain);
  return (bias === null ? scaled : tf.add(scaled, bias)) as T;
}
