/**
 * The evaluations that end an epoch, when they are due.
 */
import type { Random } from '@lab/core';
import { tf } from '@lab/tensor';
import type { Modality } from './config.js';
import type { EpochRecord } from './epoch-record.js';
import { disposePosteriors, encodeOutside, evaluatePosteriors } from './evaluate.js';
import type { Posteriors } from './model.js';
import type { TrainingState } from './training-state.js';

/** Whether this epoch ends with an evaluation. */
function isEvaluationDue({ config, epoch }: TrainingState): boolean {
  const { every } = config.evaluation;
  return (epoch + 1) % every === 0 || epoch + 1 === config.training.epochs;
}

/**
 * Evaluations on test and validation links, when one is due.
 *
 * They cannot be interrupted: the step of this epoch is done, and a state without the record of its
 * last step could not go on with the same results.
 */
export async function evaluationRound(
  state: TrainingState,
  random: Random,
): Promise<Pick<EpochRecord, 'evaluation' | 'validation' | 'meanScale' | 'remarks'>> {
  const { test, validation } = state.task.split;
  if (!state.config.evaluation.enabled || !isEvaluationDue(state)) return {};
  const posteriors = encodeOutside(state.model);
  const said: string[] = [];
  const measure = async (pairs: Int32Array, name: string) => {
    const input = { data: state.task.data, pairs, random: random.fork(name) };
    const found = await evaluatePosteriors(state.model, posteriors, input);
    const { forward, backward, remarks } = found;
    said.push(...remarks.map((remark) => `${name} pairs: ${remark}`));
    return { forward, backward };
  };
  try {
    return {
      ...(test.length > 0 ? { evaluation: await measure(test, 'test') } : {}),
      ...(validation.length > 0 ? { validation: await measure(validation, 'validation') } : {}),
      meanScale: await meanScales(posteriors),
      ...(said.length > 0 ? { remarks: said } : {}),
    };
  } finally {
    disposePosteriors(posteriors);
  }
}

/** Mean deviation of each variational modality. */
async function meanScales(posteriors: Posteriors): Promise<Partial<Record<Modality, number>>> {
  const means: Partial<Record<Modality, number>> = {};
  for (const [modality, { scale }] of Object.entries(posteriors)) {
    if (scale === null) continue;
    const mean = tf.mean(scale);
    means[modality as Modality] = (await mean.data())[0]!;
    mean.dispose();
  }
  return means;
}
