/**
 * Which weights are trained: all, those of the last blocks, or low-rank adapters beside them.
 */
import type { Random } from '@lab/core';
import { tf } from '@lab/tensor';
import type { LowRank } from '../weights/block-weights.js';
import type { PlaceWeight } from './weight-tree.js';

/** Matrices of a block that can have an adapter. */
export const ADAPTED_MODULES = ['query', 'key', 'value', 'output', 'gate', 'up', 'down'] as const;

/** A matrix of a block. */
export type AdaptedModule = (typeof ADAPTED_MODULES)[number];

/** What is trained. */
export type Tuning =
  | { readonly kind: 'full' }
  /** The last blocks of the decoder, and the norm behind them. */
  | { readonly kind: 'last-blocks'; readonly count: number }
  | {
      readonly kind: 'low-rank';
      /** r. */
      readonly rank: number;
      /** Adapters count `alpha / rank` times. */
      readonly alpha: number;
      readonly modules: readonly AdaptedModule[];
    };

/** Objects with matrices under the names of {@link ADAPTED_MODULES}. */
type Adapted = Readonly<Partial<Record<AdaptedModule, { readonly weight: unknown } | null>>>;

/**
 * The same weights with new adapters at the matrices that are to have one: `W + alpha / r B A`,
 * A even in +-1 / sqrt(inputs), B zero, so that nothing is changed at first.
 *
 * Source: Hu et al., LoRA; A as in peft/tuners/lora/layer.py, `reset_lora_parameters`.
 *
 * @param name - of the weights; adapters are called `NAME.MODULE.loraA` and `loraB`.
 */
export function withAdapters<T extends object>(
  weights: T,
  name: string,
  { tuning, random, place }: AdapterRules,
): T {
  if (tuning.kind !== 'low-rank') return weights;
  const changed: Record<string, unknown> = {};
  for (const module of tuning.modules) {
    const linear = (weights as Adapted)[module];
    if (linear == null) continue;
    const own = `${name}.${module}`;
    const lowRank = newAdapter(linear.weight as tf.Tensor2D, own, { tuning, random, place });
    changed[module] = Object.assign({}, linear, { lowRank });
  }
  return Object.assign({}, weights, changed);
}

/** How adapters are made. */
export interface AdapterRules {
  readonly tuning: Tuning;
  readonly random: Random;
  readonly place: PlaceWeight;
}

function newAdapter(
  { shape: [outputs, inputs] }: tf.Tensor2D,
  name: string,
  { tuning, random, place }: AdapterRules,
): LowRank {
  const { rank, alpha } = tuning as Extract<Tuning, { kind: 'low-rank' }>;
  const bound = 1 / Math.sqrt(inputs);
  const drawn = new Float32Array(rank * inputs);
  random.fork(name).fillUniform(drawn, -bound, bound);
  return {
    a: place(`${name}.loraA`, tf.tensor2d(drawn, [rank, inputs])) as tf.Tensor2D,
    b: place(`${name}.loraB`, tf.zeros([outputs, rank])) as tf.Tensor2D,
    scale: alpha / rank,
  };
}

/** A matrix with its adapter in it, `W + scale B A`; a new tensor. */
export function mergedWeight(weight: tf.Tensor2D, { a, b, scale }: LowRank): tf.Tensor2D {
  return tf.tidy(() => tf.add<tf.Tensor2D>(weight, tf.mul(tf.matMul(b, a), scale)));
}
