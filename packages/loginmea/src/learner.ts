/**
 * The method as the training loop takes it: one optimiser step an epoch, and vectors.
 */
import {
  type AlignmentTask,
  type Learner,
  type LearnerStep,
  type Modality,
  type SeedBatch,
  seedBatches,
} from '@lab/alignment';
import { ConfigError, type Random } from '@lab/core';
import { type AdamW, softmax, type tf } from '@lab/tensor';
import { type AlignmentLoss, drawNegatives } from './alignment-loss.js';
import type { LoginmeaConfig } from './config.js';
import { encode, type LoginmeaEncoding } from './encoding.js';
import { createModel, type LoginmeaModel } from './model.js';
import { createInputs, type OwnedInputs } from './model-inputs.js';
import type { PerModality } from './modalities.js';
import type { ModelSettings } from './model-settings.js';
import { createOptimizer, trainStep } from './step.js';

/** A LoginMEA model in training. */
export interface LoginmeaLearner extends Learner {
  readonly model: LoginmeaModel;
  readonly inputs: OwnedInputs;
  encode(): LoginmeaEncoding;
}

/** What a step changes. */
interface Training {
  readonly task: AlignmentTask;
  readonly config: LoginmeaConfig;
  readonly model: LoginmeaModel;
  optimizer: AdamW;
}

/**
 * A learner with fresh parameters; `random` is the run's stream.
 *
 * @throws {ConfigError} as {@link modelSettings}, or when settings of the model contradict each
 *   other.
 */
export function createLearner(
  task: AlignmentTask,
  config: LoginmeaConfig,
  random: Random,
): LoginmeaLearner {
  const inputs = createInputs(task, config, random.fork('images'));
  const model = ownedModel(inputs, config, random.fork('parameters'));
  const optimizer = createOptimizer(model, config.training.weightDecay);
  const training: Training = { task, config, model, optimizer };
  const hasGraph = model.settings.encoders !== 'joint';
  const modalities: Modality[] = [...model.modalities, ...(hasGraph ? ['graph' as const] : [])];
  return {
    model,
    inputs,
    modalities,
    parameters: model.parameters,
    get optimizer() {
      return training.optimizer;
    },
    step: (input) => step(training, input),
    encode: () => encode(model, inputs),
    savedState: () => null,
    restoreState: () => {},
    dispose: () => {
      training.optimizer.dispose();
      model.dispose();
      inputs.dispose();
    },
  };
}

/** The model over these inputs, which are freed where none can be made. */
function ownedModel(inputs: OwnedInputs, config: LoginmeaConfig, random: Random): LoginmeaModel {
  try {
    return createModel(inputs, modelSettings(config, inputs.features), random);
  } catch (error) {
    inputs.dispose();
    throw error;
  }
}

/**
 * The settings of the model: which encoders it has follows from the modalities that the config
 * names and the data have. The graph alone is the structure encoder; without `graph` the joint
 * encoder is left, which still passes on along it.
 *
 * @throws {ConfigError} when the data have none of the modalities.
 */
export function modelSettings(
  { data, model }: LoginmeaConfig,
  features: PerModality<unknown>,
): ModelSettings {
  const hasGraph = data.modalities.includes('graph');
  const hasFeatures = Object.keys(features).length > 0;
  if (!hasGraph && !hasFeatures) {
    throw new ConfigError(
      `loginmea/learner: the data have none of data.modalities (${data.modalities.join(', ')}).`,
      { help: 'Add relation or graph, which all data have, or give the missing files.' },
    );
  }
  return { ...model, encoders: !hasFeatures ? 'structure' : hasGraph ? 'both' : 'joint' };
}

/** One optimiser step over all seed batches, shuffled, and what is recorded of it. */
async function step(training: Training, { epoch, seeds, random }: LearnerStep) {
  const { config, model } = training;
  const { batchSize, learningRate: rate, lateRate } = config.training;
  const isLate = config.pseudoSeeds.enabled && epoch >= config.pseudoSeeds.start;
  if (isLate && isReset(config, epoch)) resetOptimizer(training);
  const learningRate = isLate ? rate * lateRate : rate;
  const batches = seedBatches(seeds, batchSize, random.fork('seeds'));
  const loss = lossOf(training, batches, random.fork('negatives'));
  const losses = await trainStep(model, training.optimizer, { batches, loss, learningRate });
  return {
    learningRate,
    loss: losses.reduce((sum, value) => sum + value, 0),
    batches: losses,
    ...(await earlyWeights(model)),
  };
}

/** Whether AdamW starts anew before this epoch of the stage with pseudo seeds. */
function isReset({ training, pseudoSeeds }: LoginmeaConfig, epoch: number): boolean {
  if (training.optimizerReset === 'every-epoch') return true;
  return training.optimizerReset === 'once' && epoch === pseudoSeeds.start;
}

function resetOptimizer(training: Training): void {
  training.optimizer.dispose();
  training.optimizer = createOptimizer(training.model, training.config.training.weightDecay);
}

/** Kind and settings of the loss; the margin loss draws its negatives for this epoch. */
function lossOf(
  { task, config: { loss } }: Training,
  batches: readonly SeedBatch[],
  random: Random,
): AlignmentLoss {
  const { kind, temperature, direction, margin } = loss;
  if (kind === 'icl') return { kind, temperature };
  if (kind === 'hard-sample') {
    const { hardMargin, hardScale: scale, hardShift: shift } = loss;
    return { kind, margin: hardMargin, scale, shift };
  }
  if (kind === 'margin') {
    const { left, right } = task.data;
    const negatives = batches.map((batch, at) =>
      drawNegatives(batch, { left, right }, random.fork(`${at}`)),
    );
    return { kind, margin, negatives };
  }
  return { kind, temperature, direction };
}

/** The soft-max of the early weights, where there are such. */
async function earlyWeights(model: LoginmeaModel): Promise<{ earlyWeights?: number[] }> {
  if (model.modalities.length === 0) return {};
  const weights = softmax(model.parameters.get('earlyWeights') as tf.Tensor1D);
  const values = Array.from(await weights.data());
  weights.dispose();
  return { earlyWeights: values };
}
