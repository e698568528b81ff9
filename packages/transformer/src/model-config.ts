/**
 * config.json of a checkpoint to the architecture that it describes.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError, nearest } from '@lab/core';
import { assertArchitecture } from './assert-architecture.js';
import { ConfigFields, shownValue } from './config-fields.js';
import { readContextTokens } from './context-tokens.js';
import { readJsonObject } from './json-file.js';
import { classDefaults } from './families/class-defaults.js';
import { falcon } from './families/falcon.js';
import type { Family, FamilyModel, FamilyTable } from './families/family.js';
import { gemma } from './families/gemma.js';
import { gpt2 } from './families/gpt2.js';
import { gptNeox } from './families/gpt-neox.js';
import { llama } from './families/llama.js';
import { moduleNames } from './families/module-names.js';
import { phi3 } from './families/phi3.js';
import { qwen } from './families/qwen.js';
import { wrappedConfig } from './families/wrapper.js';
import { ggufConfig } from './gguf/gguf-config.js';
import { type GgufContent, isGgufFile, withGguf } from './gguf/gguf-file.js';

const families: readonly Family[] = [falcon, gemma, gpt2, gptNeox, llama, phi3, qwen];

/** `model_type` values of config.json that can be run. */
export const modelTypes: readonly string[] = families
  .flatMap((family) => family.modelTypes)
  .toSorted();

/**
 * The architecture and the names of the weights that config.json describes.
 *
 * @param folder - with config.json, or a GGUF file.
 * @throws {ModelError} for a family that is not known, and for a field that is not known and might
 *   change the numbers.
 */
export function readModelConfig(folder: string): FamilyModel {
  if (isGgufFile(folder)) return withGguf(folder, (gguf) => ggufModel(gguf));
  const { values, file } = configOf(folder);
  const wrapped = wrappedConfig(values, file);
  return wrapped === null
    ? modelOf(values, file)
    : modelOf(wrapped.values, wrapped.file, wrapped.within);
}

/**
 * As {@link readModelConfig}, of what a GGUF file says.
 *
 * @param layout - whether weights are described as they lie in the file, or in a checkpoint.
 */
export function ggufModel(gguf: GgufContent, layout: 'checkpoint' | 'gguf' = 'gguf'): FamilyModel {
  const { values, file, within } = ggufConfig(gguf);
  return modelOf(values, file, layout === 'gguf' ? within : undefined);
}

/** The content of a folder's config.json, or what a GGUF file has for it, and its fields. */
export function configOf(folder: string): {
  readonly values: Record<string, unknown>;
  readonly fields: ConfigFields;
  readonly file: string;
} {
  const { values, file } = isGgufFile(folder) ? withGguf(folder, ggufConfig) : readConfig(folder);
  const defaults = classDefaults(values['model_type']);
  return { values, fields: new ConfigFields(values, file, { defaults }), file };
}

function readConfig(folder: string): { values: Record<string, unknown>; file: string } {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) {
    throw new ModelError(`${folder}: has no config.json.`, {
      help: 'Name the folder of a Hugging Face checkpoint, with config.json and *.safetensors.',
    });
  }
  return { values: readJsonObject(file), file };
}

/** `model_type` of a folder's config.json; empty where it has none. */
export const modelTypeOf = (folder: string): string =>
  configOf(folder).fields.text('model_type', '');

/** As {@link readModelConfig}, of the content of a config.json. */
export function modelOf(
  config: Readonly<Record<string, unknown>>,
  file: string,
  within: (table: FamilyTable) => FamilyTable = (table) => table,
): FamilyModel {
  const type = config['model_type'];
  if (type === 't5') {
    throw new ModelError(`${file}: t5 has an encoder and a decoder.`, {
      help: 'Load it with loadT5.',
    });
  }
  const known = `Known are ${[...modelTypes, 't5'].toSorted().join(', ')}.`;
  if (type === undefined || type === null) {
    throw new ModelError(`${file}: has no model_type, which names the family.`, {
      help: `Copy config.json again from the folder that the weights came from. ${known}`,
    });
  }
  const name = typeof type === 'string' ? type : '';
  const family = families.find(({ modelTypes: own }) => own.includes(name));
  if (family === undefined) {
    const like = nearest(name, modelTypes);
    const hint = like === undefined ? '' : ` (near: ${like})`;
    throw new ModelError(`${file}: model_type ${shownValue(type)} is not known${hint}.`, {
      help: known,
    });
  }
  const fields = new ConfigFields(config, file, { defaults: classDefaults(type) });
  fields.only('quantization_config', null);
  fields.only('is_encoder_decoder', false);
  fields.only('add_cross_attention', false);
  const { architecture: rules, weights } = within(family.read(fields));
  const contextTokens = readContextTokens(fields, rules);
  const architecture = { ...rules, contextTokens, modules: moduleNames(weights) };
  fields.assertAllRead();
  assertArchitecture(architecture, file);
  return { architecture, weights };
}
