/**
 * config.json of a checkpoint to the architecture that it describes.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError, nearest } from '@lab/core';
import { ConfigFields } from './config-fields.js';
import { readJsonObject } from './json-file.js';
import type { Architecture } from './architecture.js';
import { falcon } from './families/falcon.js';
import type { Family, FamilyModel } from './families/family.js';
import { gemma } from './families/gemma.js';
import { gpt2 } from './families/gpt2.js';
import { gptNeox } from './families/gpt-neox.js';
import { llama } from './families/llama.js';
import { phi3 } from './families/phi3.js';
import { qwen } from './families/qwen.js';

const families: readonly Family[] = [falcon, gemma, gpt2, gptNeox, llama, phi3, qwen];

/** `model_type` values of config.json that can be run. */
export const modelTypes: readonly string[] = families
  .flatMap((family) => family.modelTypes)
  .toSorted();

/**
 * The architecture and the names of the weights that config.json describes.
 *
 * @param folder - with config.json.
 * @throws {ModelError} for a family that is not known, and for a field that is not known and might
 *   change the numbers.
 */
export function readModelConfig(folder: string): FamilyModel {
  const { values, file } = configOf(folder);
  return modelOf(values, file);
}

/** The content of a folder's config.json, and its fields. */
export function configOf(folder: string): {
  readonly values: Record<string, unknown>;
  readonly fields: ConfigFields;
  readonly file: string;
} {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) {
    throw new ModelError(`${folder}: has no config.json.`, {
      help: 'Name the folder of a Hugging Face checkpoint, with config.json and *.safetensors.',
    });
  }
  const values = readJsonObject(file);
  return { values, fields: new ConfigFields(values, file), file };
}

/** As {@link readModelConfig}, of the content of a config.json. */
function modelOf(config: Readonly<Record<string, unknown>>, file: string): FamilyModel {
  const inner = config['text_config'];
  if (typeof inner === 'object' && inner !== null) {
    return modelOf(inner as Record<string, unknown>, `${file}, text_config`);
  }
  const type = config['model_type'];
  if (type === 't5') {
    throw new ModelError(`${file}: t5 has an encoder and a decoder.`, {
      help: 'Load it with loadT5.',
    });
  }
  const family = families.find(({ modelTypes: own }) => own.includes(String(type)));
  if (family === undefined) {
    const like = nearest(String(type), modelTypes);
    const hint = like === undefined ? '' : ` (near: ${like})`;
    throw new ModelError(`${file}: model_type ${JSON.stringify(type)} is not known${hint}.`, {
      help: `Known are ${modelTypes.join(', ')}.`,
    });
  }
  const fields = new ConfigFields(config, file);
  fields.only('quantization_config', null);
  fields.only('is_encoder_decoder', false);
  const model = family.read(fields);
  fields.assertAllRead();
  assertSizes(model.architecture, file);
  return model;
}

function assertSizes(architecture: Architecture, file: string): void {
  const { headCount, keyValueHeadCount, headWidth } = architecture;
  const counts = ['layerCount', 'vocabularySize', 'width', 'mlpWidth'] as const;
  const wrong = [
    ...counts.filter(
      (name) => !(Number.isSafeInteger(architecture[name]) && architecture[name] > 0),
    ),
    ...(Number.isSafeInteger(headWidth) && headWidth > 0 ? [] : ['headWidth']),
    ...(headCount > 0 && headCount % keyValueHeadCount === 0 ? [] : ['keyValueHeadCount']),
  ];
  if (wrong.length === 0) return;
  const shown = architecture as unknown as Record<string, unknown>;
  const values = wrong.map((name) => `${name} ${String(shown[name])}`);
  throw new ModelError(`${file}: sizes do not fit each other: ${values.join(', ')}.`, {
    help: 'Copy config.json again from the folder that the weights came from.',
  });
}
