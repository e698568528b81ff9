/**
 * A checkpoint on disk to a model on the backend.
 */
import { selectBackend, selectedBackend } from '@lab/tensor';
import type { FamilyModel } from './families/family.js';
import { Model } from './model.js';
import { assertChecks } from './model-check.js';
import { readModelConfig } from './model-config.js';
import { validateModel } from './validate-model.js';
import { readBlock, type StoredBlock, type WeightReader } from './weights/block-weights.js';
import { checkpointFolder } from './weights/checkpoint-folder.js';
import { type Checkpoint, openCheckpoint } from './weights/checkpoint.js';
import { matchWeights, ownWeights, weightList } from './weights/expected-weights.js';
import { type ModelReader, placedParts } from './weights/placed-parts.js';
import { checkLoading, chosenResidency, type LoadModelOptions } from './weights/residency.js';
import type { StoredMatrix } from './weights/stored-numbers.js';

/**
 * Loads a checkpoint of a language model, onto the backend in use; without one onto the first that
 * works here.
 *
 * @param path - folder with config.json and safetensors files or of the local Hugging Face cache,
 *   or a GGUF file; or an opened checkpoint, which closes with the model.
 * @throws {ConfigError} without a path, for an option that is not known or of another kind, and
 *   where a budget cannot be kept.
 * @throws {ModelError} for a family, field or weights that do not fit, saying which, and
 *   where a check of `validate` fails.
 */
export async function loadModel(
  path: Checkpoint | string,
  options: LoadModelOptions = {},
): Promise<Model> {
  checkLoading('transformer/loadModel', path, options);
  const folder = typeof path === 'string' ? checkpointFolder(path) : path.folder;
  if (selectedBackend() === null) await selectBackend();
  const family = readModelConfig(folder);
  const all = typeof path === 'string' ? openCheckpoint(folder) : path;
  try {
    const names = matchWeights(weightList(family), all);
    const files = ownWeights(all, names);
    const residency = chosenResidency(files, options);
    const parts = await placedParts({ files, names, residency }, decoderReader(family));
    const model = new Model(family.architecture, parts);
    const checks = options.validate ?? (residency === 'resident' ? 'quick' : 'off');
    if (checks !== 'off') assertChecks(await validateModel(model, { checks }), { folder, model });
    return model;
  } catch (error) {
    all.close();
    throw error;
  }
}

/** Small weights of a decoder outside of its blocks. */
export interface StoredAround {
  readonly norm: StoredBlock['norm1'];
  /** Learned embeddings of positions. */
  readonly positions: StoredMatrix | null;
}

/** How a decoder reads its weights. */
export function decoderReader(family: FamilyModel): ModelReader<StoredBlock, StoredAround> {
  const { architecture, weights } = family;
  const isLearned = weights.positions !== null && architecture.positions.kind === 'learned';
  return {
    count: architecture.layerCount,
    vocabulary: { ...architecture, ...weights },
    readBlock: (reader, index) => readBlock(family, reader, index),
    readAround: async (reader: WeightReader) => ({
      norm: await reader.norm(weights.finalNorm, architecture.norm.gainOffset),
      positions: isLearned ? await reader.matrix(`${weights.positions}.weight`) : null,
    }),
  };
}
