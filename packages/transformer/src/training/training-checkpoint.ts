/**
 * A training in its run folder: what is saved of it, and what is read back.
 */
import { canonicalJson, DataError, type Run, sha256 } from '@lab/core';
import { hasCheckpoint, readCheckpoint, type WritableArray, writeCheckpoint } from '@lab/tensor/io';
import type { ModelSource } from './model-source.js';
import type { TrainingOptimizer } from './optimizer.js';
import type { TrainingConfig } from './training-config.js';
import type { TrainingData } from './training-data.js';
import type { TrainableModel } from './trainable-model.js';
import { writeModel } from './write-model.js';

/** What goes on where a run is resumed. */
export interface SavedTraining {
  readonly model: TrainableModel;
  readonly optimizer: TrainingOptimizer;
}

interface CheckpointMeta {
  /** Steps that were made. */
  readonly step: number;
  readonly fingerprint: string;
}

/** Hash of everything that decides what a training does: config, model and examples. */
export function fingerprintOf(
  config: TrainingConfig,
  { config: model }: Pick<ModelSource, 'config'>,
  data: Pick<TrainingData, 'sha256'>,
): string {
  const { checkpointSeconds: _, ...training } = config.training;
  return sha256(canonicalJson({ config: { ...config, training }, model, data: data.sha256 }));
}

/**
 * Saves parameters and moments to `checkpoint/`, a crash leaves the old ones or the new ones, and
 * the model to `model/`, where `transformers` and `loadModel` find it.
 */
export async function saveTraining(
  run: Run,
  { model, optimizer }: SavedTraining,
  source: ModelSource,
  meta: CheckpointMeta,
): Promise<void> {
  const tensors: Record<string, WritableArray> = {};
  for (const [name, array] of Object.entries(await model.parameters.toArrays())) {
    tensors[`parameter/${name}`] = array;
  }
  for (const [name, moment] of Object.entries(await optimizer.state())) {
    tensors[`moment/${name}`] = moment;
  }
  await writeCheckpoint(run.path('checkpoint'), { tensors, meta });
  await writeModel(run.path('model'), source, await model.arrays());
}

/**
 * Puts a saved training back; without a checkpoint it begins anew.
 *
 * @returns steps that were made.
 * @throws {DataError} where the checkpoint is of another config, model or other examples.
 */
export async function restoreTraining(
  run: Run,
  { model, optimizer }: SavedTraining,
  fingerprint: string,
): Promise<number> {
  const folder = run.path('checkpoint');
  if (!hasCheckpoint(folder)) return 0;
  const { tensors, meta } = await readCheckpoint(folder);
  const { step, fingerprint: made } = meta as CheckpointMeta;
  if (made !== fingerprint) {
    throw new DataError(`${folder}: was made with another config, model or other examples.`, {
      file: folder,
      help: 'Resume with the files of that run as they were, or start a new run.',
    });
  }
  const under = (prefix: string) =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, array]) => [name.slice(prefix.length), array]),
    );
  model.parameters.load(under('parameter/'));
  optimizer.loadState(under('moment/'));
  return step;
}
