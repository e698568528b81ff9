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
import type { IbmeaConfig } from './config.js';
import type { IbmeaModel } from './model.js';
import type { Selection, TrainingState } from './training-state.js';

/** What a checkpoint says beside its arrays. */
export interface CheckpointMeta {
  /** Epochs done. */
  readonly epoch: number;
  readonly stepCount: number;
  readonly repair: boolean;
  readonly selection: Selection;
  readonly pseudoSeeds: PseudoSeedState;
  /** What parameters and data have to agree with. */
  readonly fingerprint: string;
}

/**
 * Hash of everything that decides what a training does: the config without its length and its
 * evaluation's reporting, and the data.
 */
export function fingerprint(config: IbmeaConfig, dataHashes: readonly string[]): string {
  const { epochs: _epochs, checkpointSeconds: _seconds, ...training } = config.training;
  return sha256(canonicalJson({ config: { ...config, training }, data: dataHashes }));
}

/** Saves parameters, moments, seeds and proposals; a crash leaves the old or the new one. */
export async function saveTraining(
  dir: string,
  state: TrainingState,
  fingerprintText: string,
): Promise<void> {
  const tensors: Record<string, WritableArray> = await parameterArrays(state.model);
  for (const [name, moment] of Object.entries(await state.optimizer.state())) {
    tensors[`moment/${name}`] = moment;
  }
  const meta: CheckpointMeta = {
    epoch: state.epoch,
    stepCount: state.optimizer.stepCount,
    repair: state.repair,
    selection: state.selection,
    pseudoSeeds: state.pseudoSeeds.state(),
    fingerprint: fingerprintText,
  };
  await writeCheckpoint(dir, { tensors, meta });
}

/** The model's parameters under `parameter/`, copied from the backend. */
export async function parameterArrays(model: IbmeaModel): Promise<Record<string, WritableArray>> {
  const arrays: Record<string, WritableArray> = {};
  for (const [name, array] of Object.entries(await model.parameters.toArrays())) {
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
      help: 'resume with the flags, files and backend of that run, or start a new run',
    });
  }
  loadParameters(state.model, checkpoint);
  state.optimizer.loadState(arraysUnder(checkpoint, 'moment/'), meta.stepCount);
  state.pseudoSeeds.restore(meta.pseudoSeeds);
  state.seeds = state.pseudoSeeds.seeds();
  state.epoch = meta.epoch;
  state.repair = meta.repair;
  state.selection = meta.selection;
}

/** Sets the model's parameters from a checkpoint. */
export function loadParameters(model: IbmeaModel, checkpoint: Checkpoint): void {
  model.parameters.load(arraysUnder(checkpoint, 'parameter/'));
}

/** The arrays whose names start with a prefix, without it. */
function arraysUnder(checkpoint: Checkpoint, prefix: string) {
  const entries = Object.entries(checkpoint.tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, array]) => [name.slice(prefix.length), array]));
}
