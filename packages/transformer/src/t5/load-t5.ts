/**
 * A checkpoint of T5 on disk to a model on the backend.
 */
import { ModelError } from '@lab/core';
import { selectBackend, selectedBackend } from '@lab/tensor';
import { configOf } from '../model-config.js';
import { checkpointFolder, openCheckpoint } from '../weights/checkpoint.js';
import { type ModelReader, placedParts } from '../weights/placed-parts.js';
import { chosenResidency, type LoadModelOptions } from '../weights/residency.js';
import { readT5, type T5Architecture } from './t5-config.js';
import { T5Model } from './t5-model.js';
import {
  matchT5,
  readT5Block,
  readT5Side,
  type StoredT5Block,
  type StoredT5Side,
  type T5Side,
} from './t5-weights.js';

/**
 * Loads a checkpoint of T5 (v1.0, v1.1, Flan).
 *
 * @param path - folder with config.json and safetensors files, or of the local Hugging Face cache.
 * @throws {ModelError} for another family, and for fields or weights that do not fit.
 */
export async function loadT5(path: string, options: LoadModelOptions = {}): Promise<T5Model> {
  const folder = checkpointFolder(path);
  if (selectedBackend() === null) await selectBackend();
  const { fields, file } = configOf(folder);
  const type = fields.text('model_type', '');
  if (type !== 't5') {
    throw new ModelError(`${file}: model_type ${JSON.stringify(type)} is not t5.`, {
      help: 'Decoders are loaded with loadModel.',
    });
  }
  fields.only('quantization_config', null);
  fields.only('add_cross_attention', false);
  const architecture = readT5(fields);
  fields.assertAllRead();
  const files = openCheckpoint(folder);
  try {
    const names = matchT5(architecture, files);
    const residency = chosenResidency(files, options);
    const parts = await placedParts({ files, names, residency }, readerOf(architecture));
    return new T5Model(architecture, parts);
  } catch (error) {
    files.close();
    throw error;
  }
}

type Sides = Readonly<Record<T5Side, StoredT5Side>>;

function readerOf(architecture: T5Architecture): ModelReader<StoredT5Block, Sides> {
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
