/**
 * Where a training starts.
 */
import { createRandom } from '@lab/core';
import { createPseudoSeeds } from '@lab/graph';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentTask } from './data.js';
import type { Learner } from './learner.js';
import type { AlignmentMethod } from './method.js';
import type { TrainingState } from './training-state.js';

/** A fresh state: inputs on the backend, new parameters, epoch 0. */
export function createTraining<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  task: AlignmentTask,
  config: C,
): TrainingState<C, L> {
  const random = createRandom(config.seed);
  const learner = method.createLearner(task, config, random);
  const { start, every, accept, remove } = config.pseudoSeeds;
  return {
    name: method.name,
    task,
    config,
    learner,
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
    unfinished: null,
    selection: { score: null, epoch: 0, evaluation: null, waited: 0 },
    selectedParameters: null,
    dispose: () => learner.dispose(),
  };
}
