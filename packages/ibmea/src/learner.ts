/**
 * The method as the training loop takes it: one optimiser step an epoch, and vectors.
 */
import { type AlignmentTask, type Learner, type LearnerStep, seedBatches } from '@lab/alignment';
import { LabError, type Random } from '@lab/core';
import { createAdamW, tf, warmupCosine } from '@lab/tensor';
import { countNonFinite } from './bottleneck.js';
import type { IbmeaConfig } from './config.js';
import { disposePosteriors, encode, encodeOutside, type IbmeaEncoding } from './encoding.js';
import { isRecomputed } from './memory-estimate.js';
import { createModel, type IbmeaModel } from './model.js';
import { createInputs, type ModelInputs } from './model-inputs.js';
import { drawNoise, epochDropout } from './noise.js';
import { type StepResult, trainStep } from './step.js';

/** An IBMEA model in training. */
export interface IbmeaLearner extends Learner {
  readonly model: IbmeaModel;
  readonly inputs: ModelInputs;
  encode(proposal?: Random): IbmeaEncoding;
}

/** Values of a parameter whose moments leave a backend that is short of memory: 4 MiB each. */
const HOST_MOMENTS_FROM = 2 ** 20;

/** A learner with fresh parameters; `random` is the run's stream. */
export function createLearner(
  task: AlignmentTask,
  config: IbmeaConfig,
  random: Random,
): IbmeaLearner {
  const inputs = createInputs(task, config, random.fork('images'));
  const model = createModel(config, inputs, {
    random: random.fork('parameters'),
    isRecomputed: isRecomputed(task, config),
  });
  const optimizer = createAdamW(model.parameters, {
    weightDecay: config.training.weightDecay,
    ...(model.isRecomputed ? { hostMomentsFrom: HOST_MOMENTS_FROM } : {}),
  });
  const repair = { isOn: false };
  const training = { model, config, optimizer, repair };
  return {
    model,
    inputs,
    parameters: model.parameters,
    modalities: model.modalities,
    optimizer,
    step: (input) => step(training, input),
    encode: (proposal) =>
      proposal === undefined ? encode(model) : encodeProposal(model, proposal),
    savedState: () => ({ repair: repair.isOn }),
    restoreState: (saved) => {
      repair.isOn = (saved as { repair: boolean }).repair;
    },
    dispose: () => {
      optimizer.dispose();
      model.dispose();
      inputs.dispose();
    },
  };
}

/** With the dropout of training, and one draw per entity. */
function encodeProposal(model: IbmeaModel, random: Random): IbmeaEncoding {
  const dropout = epochDropout(model.config.model.dropout, random.fork('dropout'));
  return encode(model, { dropout, samples: 1 });
}

/** What a step changes. */
interface Training {
  readonly model: IbmeaModel;
  readonly config: IbmeaConfig;
  readonly optimizer: IbmeaLearner['optimizer'];
  /** Mode official: repair posteriors from now on. */
  readonly repair: { isOn: boolean };
}

/** One optimiser step over all seed batches, shuffled, and what is recorded of it. */
async function step(training: Training, input: LearnerStep) {
  const { config, model } = training;
  const learningRate = config.training.learningRate * scheduleFactor(config, input.epoch);
  const { result, repaired } = await stepOrRepair(training, input, learningRate);
  return {
    learningRate,
    loss: result.batches.reduce((sum, batch) => sum + batch.total, 0),
    batches: result.batches,
    gradientNorms: result.gradientNorms,
    ...(await fusionWeights(model)),
    ...(repaired === 0 ? {} : { repaired }),
  };
}

/** Learning rate of an epoch as a share of its peak; the first epoch of a warm-up has rate 0. */
export function scheduleFactor(config: IbmeaConfig, epoch: number): number {
  if (config.training.schedule === 'constant') return 1;
  return warmupCosine(config.training)(epoch);
}

/** One optimiser step over all seed batches. */
function takeStep(
  { model, config, optimizer, repair }: Training,
  { seeds, random }: LearnerStep,
  learningRate: number,
): Promise<StepResult> {
  return trainStep(model, optimizer, {
    batches: seedBatches(seeds, config.training.batchSize, random.fork('seeds')),
    noise: drawNoise(config.model, model.modalities, random.fork('noise')),
    dropout: epochDropout(config.model.dropout, random.fork('dropout')),
    learningRate,
    repair: repair.isOn,
  });
}

/**
 * The step; in mode official, a KL term that is not finite is repaired as the released code does,
 * counted, and the step is taken again.
 */
async function stepOrRepair(
  training: Training,
  input: LearnerStep,
  learningRate: number,
): Promise<{ result: StepResult; repaired: number }> {
  const { repair, config, model } = training;
  try {
    return { result: await takeStep(training, input, learningRate), repaired: 0 };
  } catch (error) {
    const isRepairable = LabError.is(error) && error.details['term'] === 'KL' && !repair.isOn;
    if (!isRepairable || config.model.prior !== 'official') throw error;
    const repaired = await countRepairs(model, input.random);
    repair.isOn = true;
    return { result: await takeStep(training, input, learningRate), repaired };
  }
}

/** Entries of the posteriors that are not finite in this epoch's forward pass. */
async function countRepairs(model: IbmeaModel, random: Random): Promise<number> {
  const dropout = epochDropout(model.config.model.dropout, random.fork('dropout'));
  const posteriors = encodeOutside(model, dropout);
  let count = 0;
  for (const { mean, scale } of Object.values(posteriors)) {
    count += await countNonFinite(mean);
    if (scale !== null) count += await countNonFinite(scale);
  }
  disposePosteriors(posteriors);
  return count;
}

/** The soft-max of the fusion scores, where there are such. */
async function fusionWeights(model: IbmeaModel): Promise<{ fusionWeights?: number[] }> {
  if (model.config.model.fusion !== 'weighted') return {};
  const scores = model.parameters.get('fusion.weights') as tf.Tensor1D;
  const weights = tf.softmax(scores);
  const values = Array.from(await weights.data());
  weights.dispose();
  return { fusionWeights: values };
}
