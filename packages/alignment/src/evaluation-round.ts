/**
 * The evaluations that end an epoch, when they are due.
 */
import type { Random } from '@lab/core';
import type { EpochRecord } from './epoch-record.js';
import { evaluateEncoding } from './evaluate.js';
import type { TrainingState } from './training-state.js';

/** Whether this epoch ends with an evaluation. */
function isEvaluationDue({ config, epoch }: TrainingState): boolean {
  const { every } = config.evaluation;
  return (epoch + 1) % every === 0 || epoch + 1 === config.training.epochs;
}

/**
 * Evaluations on test and validation links, when one is due.
 *
 * @throws the reason of the signal when it aborts.
 */
export async function evaluationRound(
  state: TrainingState,
  random: Random,
  signal?: AbortSignal,
): Promise<Partial<EpochRecord>> {
  const { test, validation } = state.task.split;
  if (!state.config.evaluation.enabled || !isEvaluationDue(state)) return {};
  const encoding = state.learner.encode();
  const said: string[] = [];
  const measure = async (pairs: Int32Array, name: string) => {
    const input = { pairs, random: random.fork(name), signal };
    const found = await evaluateEncoding(state, encoding, input);
    const { forward, backward, remarks, evidence } = found;
    said.push(...remarks.map((remark) => `${name} pairs: ${remark}`));
    return { forward, backward, ...(evidence === undefined ? {} : { evidence }) };
  };
  try {
    return {
      ...(test.length > 0 ? { evaluation: await measure(test, 'test') } : {}),
      ...(validation.length > 0 ? { validation: await measure(validation, 'validation') } : {}),
      ...(await encoding.describe?.()),
      ...(said.length > 0 ? { remarks: said } : {}),
    };
  } finally {
    encoding.dispose();
  }
}
