/**
 * A checkpoint on disk to a model on the backend.
 */
import { ModelError } from '@lab/core';
import { selectBackend, selectedBackend } from '@lab/tensor';
import type { FamilyModel } from './families/family.js';
import { Model } from './model.js';
import { readModelConfig } from './model-config.js';
import { validateModel } from './validate-model.js';
import { readBlock, type StoredBlock, type WeightReader } from './weights/block-weights.js';
import { checkpointFolder, openCheckpoint } from './weights/checkpoint.js';
import { matchWeights, weightList } from './weights/expected-weights.js';
import { type ModelReader, placedParts } from './weights/placed-parts.js';
import { chosenResidency, type LoadModelOptions } from './weights/residency.js';
import type { StoredMatrix } from './weights/stored-numbers.js';

/**
 * Loads a checkpoint of a language model, onto the backend in use; without one onto the first that
 * works here.
 *
 * @param path - folder with config.json and safetensors files or of the local Hugging Face cache,
 *   or a GGUF file.
 * @throws {ModelError} for a family, field or weights that do not fit, saying which, and
 *   where a check of `validate` fails.
 */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<Model> {
  const folder = checkpointFolder(path);
  if (selectedBackend() === null) await selectBackend();
  const family = readModelConfig(folder);
  const files = openCheckpoint(folder);
  try {
    const names = matchWeights(weightList(family), files);
    const residency = chosenResidency(files, options);
    const parts = await placedParts({ files, names, residency }, decoderReader(family));
    const model = new Model(family.architecture, parts);
    const checks = options.validate ?? (residency === 'resident' ? 'quick' : 'off');
    if (checks !== 'off') await assertValid(model, folder, checks);
    return model;
  } catch (error) {
    files.close();
    throw error;
  }
}

/** Small weights of a decoder outside of its blocks. */
export interface StoredAround {
  readonly norm: StoredBlock['norm1'];
  /** Learned embeddings of positions. */
  readonly positions: StoredMatrix | null;
}

function decoderReader(family: FamilyModel): ModelReader<StoredBlock, StoredAround> {
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

/** @throws {ModelError} with the checks that failed; the model is disposed then. */
async function assertValid(model: Model, folder: string, checks: 'full' | 'quick'): Promise<void> {
  const failed = (await validateModel(model, { checks })).filter(({ passed }) => !passed);
  if (failed.length === 0) return;
  model.dispose();
  const names = failed.map(({ name, difference }) => `${name} (${difference.toExponential(1)})`);
  throw new ModelError(`${folder}: what is inside does not fit together: ${names.join('; ')}.`, {
    help: 'transformer validate MODEL shows all checks; try another backend.',
  });
}
