/**
 * A trained model as a folder that `from_pretrained` of `transformers` takes, and `loadModel`.
 */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '@lab/core';
import { type WritableArray, writeSafetensors } from '@lab/tensor/io';
import { isGgufFile, withGguf } from '../gguf/gguf-file.js';
import { ggufTokenizer } from '../gguf/gguf-tokenizer.js';
import { configText } from '../config-text.js';
import type { ModelSource } from './model-source.js';
import type { WeightArrays } from './trainable-model.js';

/** Files of a tokenizer, and of generation, that go with the weights. */
const FILES = [
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'],
  ...['chat_template.jinja', 'generation_config.json', 'vocab.json', 'merges.txt'],
  ...['tokenizer.model', 'spiece.model'],
];

/**
 * Writes config.json, model.safetensors in float32 and the files of the tokenizer. Every file is
 * replaced as a whole; the weights come last.
 *
 * @param folder - made where it is not there.
 */
export async function writeModel(
  folder: string,
  { config, realFields, kind, tokenizerFolder }: Omit<ModelSource, 'load' | 'tokenizer'>,
  arrays: WeightArrays,
): Promise<void> {
  makeFolder(folder);
  const { torch_dtype: _, ...values } = config;
  const isTied = !arrays.has('lm_head.weight') && !arrays.has('embed_out.weight');
  const tied = kind === 'decoder' ? { tie_word_embeddings: isTied } : {};
  const written = configText({ ...values, ...tied, dtype: 'float32' }, realFields);
  writeFileAtomic(join(folder, 'config.json'), written);
  if (tokenizerFolder !== null) writeTokenizer(folder, tokenizerFolder);
  const tensors: Record<string, WritableArray> = {};
  for (const [name, { shape, numbers }] of arrays) tensors[name] = { shape, data: numbers() };
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
}

function writeTokenizer(folder: string, from: string): void {
  if (isGgufFile(from)) {
    const { content, config } = withGguf(from, ggufTokenizer);
    writeJson(folder, 'tokenizer.json', content);
    writeJson(folder, 'tokenizer_config.json', config);
    return;
  }
  for (const name of FILES) {
    const file = join(from, name);
    if (existsSync(file) && file !== join(folder, name)) copyFileSync(file, join(folder, name));
  }
}

const writeJson = (folder: string, name: string, value: object): void =>
  writeFileAtomic(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
