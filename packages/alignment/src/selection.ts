/**
 * Which epoch's parameters are reported.
 */
import type { AlignmentConfig } from './config-fields.js';
import type { EpochRecord } from './epoch-record.js';
import type { TrainingState } from './training-state.js';

/** Takes the epoch's evaluation into account; true when it is the new selected one. */
export function selectEpoch(state: TrainingState, record: EpochRecord): boolean {
  const score = selectionScore(selectionRule(state), record);
  if (score === null) return false;
  const { score: best, waited } = state.selection;
  if (best !== null && score <= best) {
    state.selection = { ...state.selection, waited: waited + 1 };
    return false;
  }
  const evaluation = record.evaluation ?? null;
  state.selection = { score, epoch: state.epoch, evaluation, waited: 0 };
  return true;
}

/** The rule in force: without validation pairs `validation` selects nothing, so the last counts. */
export function selectionRule({
  config,
  task,
}: Pick<TrainingState, 'config' | 'task'>): AlignmentConfig['evaluation']['select'] {
  const { select: rule } = config.evaluation;
  return rule === 'validation' && task.split.validation.length === 0 ? 'last' : rule;
}

/** What the selection rule maximises; null without such an evaluation in this epoch. */
function selectionScore(
  rule: AlignmentConfig['evaluation']['select'],
  record: EpochRecord,
): number | null {
  if (rule === 'validation') return record.validation?.forward.mrr ?? null;
  if (rule === 'test-oracle') return record.evaluation?.forward['hits@1'] ?? null;
  return record.evaluation === undefined ? null : record.epoch;
}
