/**
 * What a training pass has beside its tokens: dropout, recomputation, and the factor of its loss.
 */
import type { Random } from '@lab/core';
import { dropout, recompute, type tf } from '@lab/tensor';
import { type Hook, HookRunner } from '../hooks.js';
import { trainedIn, withTensors } from './weight-tree.js';

/** Shares of values that are dropped; none by default. */
export interface DropoutRates {
  /** Of the shares of attention. */
  readonly attention: number;
  /** Of what attention and MLP add to the residual. */
  readonly residual: number;
  /** Of the embeddings. */
  readonly embedding: number;
}

/** Hooks of the pass over some examples, which are numbered from 1; texts stand in their order. */
export type TrainingHooks = (examples: readonly number[]) => readonly Hook[];

/** How a pass runs. */
export interface TrainingPass {
  /** Factor of the sum of losses: one over the number of targets of the whole batch. */
  readonly scale: number;
  /** Whether blocks are computed again in the backward pass in place of kept. */
  readonly recompute: boolean;
  readonly hooks: HookRunner;
  /** Embeddings after dropout. */
  readonly embedded: (x: tf.Tensor3D, place: string) => tf.Tensor3D;
}

const PLAIN = {
  recompute: false,
  hooks: new HookRunner([]),
  embedded: (x: tf.Tensor3D) => x,
} as const;

/** A pass without dropout, of which no gradient is taken. */
export const evaluationPass = (scale: number): TrainingPass => ({ ...PLAIN, scale });

/**
 * A pass with dropout.
 *
 * @param random - of this pass: every place has a stream of its own, so that a block that is
 *   computed again drops the same values.
 */
export function trainingPass(
  scale: number,
  {
    rates,
    random,
    isRecomputed,
    hooks = [],
  }: {
    readonly rates: DropoutRates;
    readonly random: Random;
    readonly isRecomputed: boolean;
    /** Beside the dropout, before it. */
    readonly hooks?: readonly Hook[] | undefined;
  },
): TrainingPass {
  const seedOf = (place: string) => random.fork(place).seed32();
  const { attention, residual, embedding } = rates;
  const at = (names: RegExp, rate: number): Hook[] =>
    rate === 0 ? [] : [{ names, run: (x, { name }) => dropout(x, rate, seedOf(name)) }];
  return {
    scale,
    recompute: isRecomputed,
    hooks: new HookRunner([
      ...hooks,
      ...at(/\.hook_pattern$/, attention),
      ...at(/\.hook_(attn|cross_attn|mlp)_out$/, residual),
    ]),
    embedded: (x, place) => (embedding === 0 ? x : dropout(x, embedding, seedOf(place))),
  };
}

/** Rows through a block whose weights are trained, kept or computed again as the pass says. */
export function throughBlock<Weights>(
  inputs: readonly tf.Tensor[],
  { weights, isRecomputed }: { readonly weights: Weights; readonly isRecomputed: boolean },
  run: (inputs: readonly tf.Tensor[], weights: Weights) => tf.Tensor3D,
): tf.Tensor3D {
  if (!isRecomputed) return run(inputs, weights);
  const trained = trainedIn(weights);
  return recompute([...inputs, ...trained], (...all) => {
    const others = new Map(trained.map((tensor, at) => [tensor, all[inputs.length + at]!]));
    return run(all.slice(0, inputs.length), withTensors(weights, others));
  });
}
