/**
 * A checkpoint of T5 on disk to a model on the backend.
 */
import { ModelError } from '@lab/core';
import { selectBackend, selectedBackend } from '@lab/tensor';
import { assertChecks } from '../model-check.js';
import type { ConfigFields } from '../config-fields.js';
import { configOf } from '../model-config.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import { type Checkpoint, openCheckpoint } from '../weights/checkpoint.js';
import { ownWeights } from '../weights/expected-weights.js';
import { type ModelReader, placedParts } from '../weights/placed-parts.js';
import { checkLoading, chosenResidency, type LoadModelOptions } from '../weights/residency.js';
import { readT5, type T5Architecture } from './t5-config.js';
import { T5Model } from './t5-model.js';
import {
  assertOneEmbedding,
  matchT5,
  readT5Block,
  readT5Side,
  type StoredT5Block,
  type StoredT5Side,
  type T5Side,
} from './t5-weights.js';
import { validateT5 } from './validate-t5.js';

/**
 * Loads a checkpoint of T5 (v1.0, v1.1, Flan).
 *
 * @param path - folder with config.json and safetensors files, or of the local Hugging Face cache;
 *   or an opened checkpoint, which closes with the model.
 * @throws {ConfigError} as `loadModel`.
 * @throws {ModelError} for another family, for fields or weights that do not fit, and where a check
 *   of `validate` fails (there is one kind for a T5: all).
 */
export async function loadT5(
  path: Checkpoint | string,
  options: LoadModelOptions = {},
): Promise<T5Model> {
  checkLoading('transformer/loadT5', path, options);
  const folder = typeof path === 'string' ? checkpointFolder(path) : path.folder;
  if (selectedBackend() === null) await selectBackend();
  const { fields, file } = configOf(folder);
  const type = fields.text('model_type', '');
  if (type !== 't5') {
    throw new ModelError(`${file}: model_type ${JSON.stringify(type)} is not t5.`, {
      help: 'Decoders are loaded with loadModel.',
    });
  }
  const architecture = t5Architecture(fields);
  const all = typeof path === 'string' ? openCheckpoint(folder) : path;
  try {
    const names = matchT5(architecture, all);
    await assertOneEmbedding(all);
    const files = ownWeights(all, names);
    const residency = chosenResidency(files, options);
    const parts = await placedParts({ files, names, residency }, readerOf(architecture));
    const model = new T5Model(architecture, parts);
    const checks = options.validate ?? 'off';
    if (checks !== 'off') assertChecks(await validateT5(model), { folder, model });
    return model;
  } catch (error) {
    all.close();
    throw error;
  }
}

/**
 * The architecture that the fields of a config.json describe.
 *
 * @throws {ModelError} for a field that is not known or not supported.
 */
export function t5Architecture(fields: ConfigFields): T5Architecture {
  fields.only('quantization_config', null);
  fields.only('add_cross_attention', false);
  const architecture = readT5(fields);
  fields.assertAllRead();
  return architecture;
}

type Sides = Readonly<Record<T5Side, StoredT5Side>>;

/** How a T5 reads its weights. */
export function readerOf(architecture: T5Architecture): ModelReader<StoredT5Block, Sides> {
  const { encoderLayerCount, decoderLayerCount } = architecture;
  // Files may hold an output that the config calls tied.
  const names = { embedding: 'shared', output: 'lm_head', isTied: true };
  return {
    count: encoderLayerCount + decoderLayerCount,
    vocabulary: { ...architecture, ...names },
    readAround: async (reader) => ({
      encoder: await readT5Side(reader, 'encoder'),
      decoder: await readT5Side(reader, 'decoder'),
    }),
    readBlock: (reader, index) => {
      const isEncoder = index < encoderLayerCount;
      const block = isEncoder ? index : index - encoderLayerCount;
      return readT5Block(architecture, reader, { side: isEncoder ? 'encoder' : 'decoder', block });
    },
  };
}
