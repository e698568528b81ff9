/**
 * A checkpoint's weights by their places in the model.
 */
import {
  type Checkpoint,
  checkpointFolder,
  type FamilyModel,
  openCheckpoint,
  readModelConfig,
} from '@lab/transformer';

/** A checkpoint whose weights are read one by one; whoever opened it closes `checkpoint`. */
export interface OpenWeights {
  readonly folder: string;
  readonly family: FamilyModel;
  readonly checkpoint: Checkpoint;
}

/**
 * Opens a checkpoint.
 *
 * @throws {ModelError} for one that is not there or not known.
 */
export function openWeights(path: string): OpenWeights {
  const folder = checkpointFolder(path);
  return { folder, family: readModelConfig(folder), checkpoint: openCheckpoint(folder) };
}
