/**
 * A training state as a folder of arrays, and back.
 */
import { canonicalJson, DataError, sha256 } from '@lab/core';
import type { PseudoSeedState } from '@lab/graph';
import {
  type Checkpoint,
  readCheckpoint,
  type WritableArray,
  writeCheckpoint,
} from '@lab/tensor/io';
import type { AlignmentConfig } from './config-fields.js';
import type { Learner } from './learner.js';
import type { Selection, TrainingState, UnfinishedEpoch } from './training-state.js';

/** What a checkpoint says beside its arrays. */
export interface CheckpointMeta {
  /** Epochs done. */
  readonly epoch: number;
  readonly stepCount: number;
  /** What the method keeps beside its arrays. */
  readonly learner: unknown;
  readonly selection: Selection;
  readonly pseudoSeeds: PseudoSeedState;
  /** Only where an epoch was broken off. */
  readonly unfinished?: UnfinishedEpoch;
  /** What parameters and data have to agree with. */
  readonly fingerprint: string;
}

/**
 * Hash of everything that decides what a training does: the config without its length and its
 * evaluation's reporting, and the data.
 */
export function fingerprint(config: AlignmentConfig, dataHashes: readonly string[]): string {
  const { epochs: _epochs, checkpointSeconds: _seconds, ...training } = config.training;
  return sha256(canonicalJson({ config: { ...config, training }, data: dataHashes }));
}

/** Saves parameters, moments, seeds and proposals; a crash leaves the old or the new one. */
export async function saveTraining(
  dir: string,
  state: TrainingState,
  fingerprintText: string,
): Promise<void> {
  const tensors: Record<string, WritableArray> = await parameterArrays(state.learner);
  for (const [name, moment] of Object.entries(await state.learner.optimizer.state())) {
    tensors[`moment/${name}`] = moment;
  }
  const meta: CheckpointMeta = {
    epoch: state.epoch,
    stepCount: state.learner.optimizer.stepCount,
    learner: state.learner.savedState(),
    selection: state.selection,
    pseudoSeeds: state.pseudoSeeds.state(),
    ...(state.unfinished === null ? {} : { unfinished: state.unfinished }),
    fingerprint: fingerprintText,
  };
  await writeCheckpoint(dir, { tensors, meta });
}

/** The learner's parameters under `parameter/`, copied from the backend. */
export async function parameterArrays(learner: Learner): Promise<Record<string, WritableArray>> {
  const arrays: Record<string, WritableArray> = {};
  for (const [name, array] of Object.entries(await learner.parameters.toArrays())) {
    arrays[`parameter/${name}`] = array;
  }
  return arrays;
}

/**
 * Puts a saved training back into a fresh state of the same config and data.
 *
 * @throws {DataError} when the checkpoint belongs to another config or other data.
 */
export async function restoreTraining(
  dir: string,
  state: TrainingState,
  expected: string,
): Promise<void> {
  const checkpoint = await readCheckpoint(dir);
  const meta = checkpoint.meta as CheckpointMeta;
  if (meta.fingerprint !== expected) {
    throw new DataError(`${dir}: the checkpoint was made with another config or other data.`, {
      file: dir,
      help: 'resume with the flags and files of that run, or start a new run',
    });
  }
  state.learner.restoreState(meta.learner);
  loadParameters(state.learner, checkpoint);
  state.learner.optimizer.loadState(arraysUnder(checkpoint, 'moment/'), meta.stepCount);
  state.pseudoSeeds.restore(meta.pseudoSeeds);
  state.seeds = state.pseudoSeeds.seeds();
  state.epoch = meta.epoch;
  state.unfinished = meta.unfinished ?? null;
  state.selection = meta.selection;
}

/** Sets the learner's parameters from a checkpoint. */
export function loadParameters(learner: Learner, checkpoint: Checkpoint): void {
  learner.parameters.load(arraysUnder(checkpoint, 'parameter/'));
}

/** The arrays whose names start with a prefix, without it. */
function arraysUnder(checkpoint: Checkpoint, prefix: string) {
  const entries = Object.entries(checkpoint.tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, array]) => [name.slice(prefix.length), array]));
}
