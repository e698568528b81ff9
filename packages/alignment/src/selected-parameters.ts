/**
 * The parameters of the epoch that is reported, where it is not the last one.
 */
import { join } from 'node:path';
import type { Run } from '@lab/core';
import { hasCheckpoint, readCheckpoint, writeCheckpoint } from '@lab/tensor/io';
import { loadParameters, parameterArrays } from './checkpoint.js';
import { selectionRule } from './selection.js';
import type { TrainingState } from './training-state.js';

/** Parameters of the selected epoch, kept beside the checkpoint. */
const selectedDir = (run: Run) => join(run.dir, 'selected');

/** Keeps the parameters as they are now as those of the selected epoch. */
export async function saveSelected(run: Run | null, state: TrainingState): Promise<void> {
  if (run === null) {
    state.selectedParameters = await state.learner.parameters.toArrays();
    return;
  }
  const tensors = await parameterArrays(state.learner);
  await writeCheckpoint(selectedDir(run), { tensors, meta: { epoch: state.epoch } });
}

/** Puts the selected parameters into the model, where they are not the last ones. */
export async function loadSelected(run: Run | null, state: TrainingState): Promise<void> {
  if (selectionRule(state) === 'last' || state.selection.epoch === state.epoch) return;
  if (run !== null && hasCheckpoint(selectedDir(run))) {
    const checkpoint = await readCheckpoint(selectedDir(run));
    const { epoch } = checkpoint.meta as { epoch: number };
    if (epoch === state.selection.epoch) loadParameters(state.learner, checkpoint);
  } else if (state.selectedParameters !== null) {
    state.learner.parameters.load(state.selectedParameters);
  }
}
