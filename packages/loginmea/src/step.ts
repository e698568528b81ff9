/**
 * One training step, which is one epoch: one forward pass over the whole graph, the losses of all
 * seed batches on it, and one update.
 */
import type { SeedBatch } from '@lab/alignment';
import { ConfigError, ModelError } from '@lab/core';
import { type AdamW, createAdamW, tf, valueAndGradients } from '@lab/tensor';
import { type AlignmentLoss, alignmentLoss } from './alignment-loss.js';
import type { LoginmeaModel } from './model.js';

/** Gradients by parameter name. */
export type GradientRecord = Record<string, tf.Tensor>;

/** What one step reads. */
export interface StepInput {
  /** The seed pairs of the epoch, cut into batches of at least two. */
  readonly batches: readonly SeedBatch[];
  /** Kind and settings of the loss; default the method's own. */
  readonly loss?: AlignmentLoss;
}

/** Losses and gradients of one step; the caller disposes the gradients. */
export interface StepGradients {
  /** Mean loss of each batch, nats. */
  readonly losses: readonly number[];
  readonly gradients: GradientRecord;
}

/**
 * Losses of the batches on one forward pass, and the gradient of their sum.
 *
 * `L = sum over the batches of the mean loss of the batch`: a smaller last batch counts as much as
 * the others. The loss of a batch is `contrastiveLoss`, or of the kind that is asked for.
 * Source: sutaoyu/LoginMEA, `src/run.py`, `LoginMEA`; equation not verified.
 *
 * @throws {ConfigError} when there is no batch.
 * @throws as `alignmentLoss`.
 */
export async function stepGradients(
  model: LoginmeaModel,
  { batches, loss = {} }: StepInput,
): Promise<StepGradients> {
  if (batches.length === 0) {
    throw new ConfigError('loginmea/step: there is no seed batch.', {
      help: 'Give at least one batch of two seed pairs.',
    });
  }
  const kept: tf.Tensor1D[] = [];
  try {
    const { value, gradients } = valueAndGradients(model.parameters, () => {
      const { embeddings, seeds, choice } = embedSeeds(model, batches, loss);
      const terms = seeds.map((pairs, index) =>
        alignmentLoss(embeddings, { pairs, index }, choice),
      );
      const perBatch = tf.stack(terms) as tf.Tensor1D;
      kept.push(tf.keep(perBatch.clone()));
      return tf.sum(perBatch);
    });
    value.dispose();
    return { losses: Array.from(await kept[0]!.data()), gradients };
  } finally {
    tf.dispose(kept);
  }
}

/**
 * The embeddings that the losses read, and batches and loss with the places of the entities among
 * them in place of the entities; every entity for hard samples, which are looked for among all.
 */
function embedSeeds(model: LoginmeaModel, batches: readonly SeedBatch[], loss: AlignmentLoss) {
  if (loss.kind === 'hard-sample') {
    return { embeddings: model.embed(), seeds: batches, choice: loss };
  }
  const places = new Map<number, number>();
  const placesOf = (entities: Int32Array) =>
    entities.map((entity) => {
      const place = places.get(entity) ?? places.size;
      places.set(entity, place);
      return place;
    });
  const moved = (all: readonly SeedBatch[]) =>
    all.map(({ left, right }) => ({ left: placesOf(left), right: placesOf(right) }));
  const seeds = moved(batches);
  const isMargin = loss.kind === 'margin';
  const choice: AlignmentLoss = isMargin ? { ...loss, negatives: moved(loss.negatives) } : loss;
  return { embeddings: model.embed(Int32Array.from(places.keys())), seeds, choice };
}

/**
 * A new optimiser for a model: AdamW with betas 0.9 and 0.999, epsilon 1e-8 and decoupled decay of
 * every parameter, tables and biases too.
 *
 * Source: sutaoyu/LoginMEA, `src/run.py`, `LoginMEA`; equation not verified.
 *
 * @param weightDecay - per step and unit of learning rate; default 0.01.
 * @returns the optimiser; the caller disposes it.
 * @throws {ModelError} when the decay is out of its range.
 */
export function createOptimizer(
  { parameters }: Pick<LoginmeaModel, 'parameters'>,
  weightDecay = 0.01,
): AdamW {
  return createAdamW(parameters, { weightDecay });
}

/**
 * Takes one step: {@link stepGradients}, then one update of all parameters by the optimiser.
 *
 * The gradients are not clipped.
 * Source: sutaoyu/LoginMEA, `src/run.py`, `LoginMEA`; equation not verified.
 *
 * @returns mean loss of each batch before the update, nats.
 * @throws {ModelError} when a loss is not finite; parameters and optimiser are then unchanged.
 * @throws as {@link stepGradients}.
 */
export async function trainStep(
  model: LoginmeaModel,
  optimizer: AdamW,
  { learningRate, ...input }: StepInput & { readonly learningRate: number },
): Promise<readonly number[]> {
  const { losses, gradients } = await stepGradients(model, input);
  try {
    assertFiniteLosses(losses, 'step');
    optimizer.step(gradients, learningRate);
  } finally {
    tf.dispose(gradients);
  }
  return losses;
}

/** Stops at the first loss that is not a finite number; `where` is the module of the step. */
export function assertFiniteLosses(losses: readonly number[], where: string): void {
  for (const [batch, loss] of losses.entries()) {
    if (Number.isFinite(loss)) continue;
    throw new ModelError(`loginmea/${where}: the loss of seed batch ${batch + 1} is ${loss}.`, {
      help: 'Lower the learning rate, or look for extreme values among the features.',
      details: { batch, loss },
    });
  }
}
