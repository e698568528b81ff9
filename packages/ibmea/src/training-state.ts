/**
 * What a training consists of: everything that an epoch changes and a checkpoint saves.
 */
import { createRandom, type Random } from '@lab/core';
import { createPseudoSeeds, type PseudoSeeds } from '@lab/graph';
import { type AdamW, createAdamW, type ParameterArray } from '@lab/tensor';
import type { IbmeaConfig } from './config.js';
import { type AlignmentTask, createInputs } from './data.js';
import type { AlignmentMetrics } from './evaluate.js';
import { isRecomputed } from './memory-estimate.js';
import { createModel, type IbmeaModel } from './model.js';
import type { ModelInputs } from './model-inputs.js';

/** Everything that changes while training. */
export interface TrainingState {
  readonly task: AlignmentTask;
  readonly config: IbmeaConfig;
  readonly inputs: ModelInputs;
  readonly model: IbmeaModel;
  readonly optimizer: AdamW;
  readonly pseudoSeeds: PseudoSeeds;
  readonly random: Random;
  /** Epochs done. */
  epoch: number;
  /** Seed pairs in use, interleaved; grows with accepted pseudo seeds. */
  seeds: Int32Array;
  /** Mode official: repair posteriors from now on. */
  repair: boolean;
  /** The evaluation that `evaluation.select` prefers so far. */
  selection: Selection;
  /** Parameters of the selected epoch when there is no run folder to keep them in. */
  selectedParameters: Record<string, ParameterArray> | null;
  dispose(): void;
}

/** The best evaluation so far, by the configured rule. */
export interface Selection {
  /** Score of the best epoch (validation MRR or test H@1); null before the first evaluation. */
  readonly score: number | null;
  /** Epochs that were done when it was reached. */
  readonly epoch: number;
  /** Metrics on the test links then. */
  readonly evaluation: AlignmentMetrics | null;
  /** Evaluations since then. */
  readonly waited: number;
}

/** Values of a parameter whose moments leave a backend that is short of memory: 4 MiB each. */
const HOST_MOMENTS_FROM = 2 ** 20;

/** A fresh state: inputs on the backend, new parameters, epoch 0. */
export function createTraining(task: AlignmentTask, config: IbmeaConfig): TrainingState {
  const random = createRandom(config.seed);
  const inputs = createInputs(task, config, random.fork('images'));
  const model = createModel(config, inputs, {
    random: random.fork('parameters'),
    isRecomputed: isRecomputed(task, config),
  });
  const optimizer = createAdamW(model.parameters, {
    weightDecay: config.training.weightDecay,
    ...(model.isRecomputed ? { hostMomentsFrom: HOST_MOMENTS_FROM } : {}),
  });
  const { start, every, accept, remove } = config.pseudoSeeds;
  return {
    task,
    config,
    inputs,
    model,
    optimizer,
    pseudoSeeds: createPseudoSeeds({
      data: task.data,
      seeds: task.split.seeds,
      start,
      proposeEvery: every,
      acceptEvery: accept,
      removal: remove,
    }),
    random,
    epoch: 0,
    seeds: task.split.seeds,
    repair: false,
    selection: { score: null, epoch: 0, evaluation: null, waited: 0 },
    selectedParameters: null,
    dispose: () => {
      optimizer.dispose();
      model.dispose();
      inputs.dispose();
    },
  };
}
