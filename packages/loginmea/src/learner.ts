/**
 * The method as the training loop takes it: one optimiser step an epoch, and vectors.
 */
import type { AlignmentTask, Learner, LearnerStep, Modality } from '@lab/alignment';
import { ConfigError, type Random } from '@lab/core';
import type { AdamW } from '@lab/tensor';
import type { LoginmeaConfig } from './config.js';
import { encode, type LoginmeaEncoding } from './encoding.js';
import { epochRecord, planEpoch } from './epoch-plan.js';
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
async function step(training: Training, input: LearnerStep) {
  const { task, config, model } = training;
  const plan = planEpoch(task, config, input);
  if (plan.isReset) {
    training.optimizer.dispose();
    training.optimizer = createOptimizer(model, config.training.weightDecay);
  }
  return epochRecord(model, plan, await trainStep(model, training.optimizer, plan));
}
