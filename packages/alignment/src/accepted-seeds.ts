/**
 * The pseudo seeds of a finished run.
 */
import { hasCheckpoint, readCheckpoint } from '@lab/tensor/io';
import type { Run } from '@lab/core';
import type { CheckpointMeta } from './checkpoint.js';
import type { TrainingState } from './training-state.js';

/** Puts the pairs that a run accepted while training among the seeds of its restored state. */
export async function restoreAcceptedSeeds(run: Run, state: TrainingState): Promise<void> {
  const folder = run.path('checkpoint');
  if (!state.config.pseudoSeeds.enabled || !hasCheckpoint(folder)) return;
  const { pseudoSeeds } = (await readCheckpoint(folder)).meta as CheckpointMeta;
  state.pseudoSeeds.restore(pseudoSeeds);
  state.seeds = state.pseudoSeeds.seeds();
}
