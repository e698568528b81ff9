/**
 * The training step of `step.ts` for graphs that do not fit the tensor backend: the same losses,
 * gradients and update, computed in blocks of rows.
 */
import { ConfigError, type Random } from '@lab/core';
import { neighbourhood } from '@lab/graph';
import { type AdamW, createAdamW, createHostAdamW, type HostAdamW, tf } from '@lab/tensor';
import {
  backwardStage,
  type BlockClock,
  type BlockOptions,
  budgetOf,
  createClock,
  forwardStage,
  GradientSums,
} from './block-passes.js';
import {
  earlyStage,
  localStage,
  meanStage,
  reflectionStage,
  type Stage,
  type StageContext,
} from './block-stages.js';
import { localBatches, lossGradients } from './blockwise-loss.js';
import type { BlockwiseModel } from './blockwise-model.js';
import { type BlockwiseStates, createStates } from './blockwise-states.js';
import { assertFiniteLosses, type GradientRecord, type StepInput } from './step.js';

/** What one step in blocks reads. */
export interface BlockwiseStepInput extends StepInput, BlockOptions {
  /**
   * Most neighbours that an entity receives from in each layer, layer 1 first; a number counts for
   * all layers. Default: all, as in the full step. The mean of the neighbourhood at the start of
   * the structure encoder is always over all.
   */
  readonly fanOut?: number | readonly number[];
  /** Stream of the choice of neighbours, needed with `fanOut`; give each step its own. */
  readonly random?: Random;
}

/** Losses and gradients of one step; the caller disposes the gradients. */
export interface BlockwiseGradients {
  /** Mean loss of each batch, nats. */
  readonly losses: readonly number[];
  /** Of the parameters on the backend; that of the entity table is in `model.entity.gradient`. */
  readonly gradients: GradientRecord;
}

/**
 * Losses of the batches and the gradient of their sum: what `stepGradients` computes, with as many
 * bytes of tensors as `budgetBytes` says.
 *
 * The forward pass goes layer by layer over the entities that the seeds receive from, each layer in
 * blocks of rows; states stay in the host's memory. Each seed batch takes its rows from there and
 * leaves their gradient. The backward pass goes the same way back: a block is computed again, with
 * the gradient of its rows, and adds to the gradients of what it read (gradient caching; Gao et al.
 * 2021). Every entity is computed twice, however many batches and neighbours it has.
 *
 * In the host's memory, for T seed entities and n that they receive from: at most about
 * `((4 L - 1) n + 2 (M + 2) T) D` floats of states and gradients, next to the table and its
 * gradient.
 *
 * @throws {ConfigError} when there is no batch, a fan-out without a stream, or the loss is
 * `hard-sample`, which reads all entities.
 * @throws {DataError} for a seed outside 0..N-1.
 * @throws as `alignmentLoss`; the reason of `signal` when it is aborted.
 */
export async function blockwiseGradients(
  model: BlockwiseModel,
  input: BlockwiseStepInput,
): Promise<BlockwiseGradients> {
  const { context, batches } = prepare(model, input);
  const stages = stagesOf(context);
  const sums = new GradientSums();
  model.entity.clearGradient();
  try {
    const total = 2 * stages.reduce((sum, { count }) => sum + count, 0) + batches.length;
    const clock = createClock(input, total);
    for (const stage of stages) await forwardStage(stage, clock);
    const losses = await lossGradients({ ...context, input }, batches, { sums, clock });
    for (const state of lastStates(context.states)) state.releaseValues();
    await backward({ ...context, stages }, sums, clock);
    return { losses, gradients: sums.take(model.parameters) };
  } catch (error) {
    model.entity.clearGradient();
    throw error;
  } finally {
    sums.dispose();
  }
}

/** The optimisers of a model: of the parameters on the backend, and of the entity table. */
export interface BlockwiseOptimizer {
  readonly parameters: AdamW;
  readonly entity: HostAdamW;
  readonly stepCount: number;
  /** Frees the moments on the backend. */
  dispose(): void;
}

/**
 * The optimiser of `createOptimizer` for a model whose entity table is in the host's memory.
 *
 * @param weightDecay - per step and unit of learning rate; default 0.01.
 * @throws {ModelError} when the decay is out of its range.
 */
export function createBlockwiseOptimizer(
  model: Pick<BlockwiseModel, 'parameters' | 'entity'>,
  weightDecay = 0.01,
): BlockwiseOptimizer {
  const parameters = createAdamW(model.parameters, { weightDecay });
  const entity = createHostAdamW(model.entity, { weightDecay });
  return {
    parameters,
    entity,
    get stepCount() {
      return entity.stepCount;
    },
    dispose: () => parameters.dispose(),
  };
}

/**
 * Takes one step: {@link blockwiseGradients}, then one update of all parameters and of every row of
 * the entity table. It is one epoch, as `trainStep`.
 *
 * @returns mean loss of each batch before the update, nats.
 * @throws {ModelError} when a loss is not finite; parameters and optimiser are then unchanged.
 * @throws as {@link blockwiseGradients}; when `signal` is aborted nothing is changed either.
 */
export async function blockwiseTrainStep(
  model: BlockwiseModel,
  optimizer: BlockwiseOptimizer,
  { learningRate, ...input }: BlockwiseStepInput & { readonly learningRate: number },
): Promise<readonly number[]> {
  const { losses, gradients } = await blockwiseGradients(model, input);
  try {
    assertFiniteLosses(losses, 'blockwise-step');
    optimizer.parameters.step(gradients, learningRate);
    optimizer.entity.step(learningRate);
  } finally {
    tf.dispose(gradients);
    model.entity.clearGradient();
  }
  return losses;
}

/** The batches in local numbers, and what the stages are made for. */
function prepare(model: BlockwiseModel, input: BlockwiseStepInput) {
  const { fanOut, random } = input;
  const budgetBytes = budgetOf(input);
  assertInput(input);
  const { layers } = model.settings;
  const local = localBatches(input, model.inputs.graph.mean.rowCount);
  const options = {
    layers,
    ...(fanOut === undefined ? {} : { fanOut }),
    ...(random === undefined ? {} : { random }),
  };
  const near = neighbourhood(model.pairs, local.targets, options);
  const states = createStates(model, near, { layers, withEarly: true });
  return { context: { model, near, states, budgetBytes }, batches: local.batches };
}

function assertInput({ batches, loss = {} }: StepInput): void {
  if (batches.length === 0) {
    throw new ConfigError('loginmea/blockwise-step: there is no seed batch.', {
      help: 'Give at least one batch of two seed pairs.',
    });
  }
  if (loss.kind !== 'hard-sample') return;
  throw new ConfigError('loginmea/blockwise-step: the loss hard-sample reads all entities.', {
    help: 'Choose infonce, icl or margin, which read the seeds of a batch.',
  });
}

/** All stages in the order of the forward pass. */
function stagesOf(context: StageContext): Stage[] {
  const { layers } = context.model.settings;
  const reflections = Array.from({ length: layers }, (_, i) => reflectionStage(context, i + 1));
  return [earlyStage(context), meanStage(context), localStage(context), ...reflections];
}

/** What no later stage reads, once the losses are computed. */
function lastStates({ encoders, early }: BlockwiseStates) {
  const last = Object.values(encoders).map((states) => states.at(-1)!);
  return early === null ? last : [early, ...last];
}

/** The stages backwards; lets go of states and gradients that are not needed any more. */
async function backward(
  { stages, states, model }: StageContext & { readonly stages: readonly Stage[] },
  sums: GradientSums,
  clock: BlockClock,
): Promise<void> {
  const [early, mean, local, ...reflections] = stages as [Stage, Stage, Stage, ...Stage[]];
  await backwardStage(early, sums, clock);
  states.early?.clearGradient({ free: true });
  for (let layer = model.settings.layers; layer >= 1; layer -= 1) {
    await backwardStage(reflections[layer - 1]!, sums, clock);
    for (const encoder of Object.values(states.encoders)) {
      encoder[layer]!.clearGradient({ free: true });
      encoder[layer - 1]!.releaseValues();
    }
  }
  await backwardStage(local, sums, clock);
  states.encoders.joint?.[0]!.clearGradient({ free: true });
  await backwardStage(mean, sums, clock);
}
