/**
 * A GGUF file as the folder of a Hugging Face checkpoint.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, makeFolder, ModelError } from '@lab/core';
import { configText } from '../config-text.js';
import { ggufModel } from '../model-config.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import { openCheckpoint } from '../weights/checkpoint.js';
import { floatsOf } from '../weights/stored-numbers.js';
import { writeShards } from '../weights/write-shards.js';
import { ggufConfig } from './gguf-config.js';
import type { WriteProgress } from './gguf-export.js';
import { isGgufFile, openGguf } from './gguf-file.js';
import { ggufTokenizer } from './gguf-tokenizer.js';
import { namedWeights } from './tensor-names.js';
import { fromGgufLayout } from './weight-layout.js';

/** How {@link writeCheckpoint} writes. */
export interface WriteCheckpointOptions {
  /** Whether the tokenizer is written, too; default where the file has one. */
  readonly tokenizer?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined;
}

/** What was written. */
export interface WrittenCheckpoint {
  readonly folder: string;
  readonly modelType: string;
  readonly tensorCount: number;
  /** Bytes of all numbers. */
  readonly sizeBytes: number;
  readonly hasTokenizer: boolean;
}

/** Numbers of a file, about. */
const SHARD = 5e8;

/** Classes of `transformers` by `model_type`. */
const classes: Readonly<Record<string, string>> = {
  falcon: 'FalconForCausalLM',
  gemma: 'GemmaForCausalLM',
  gemma2: 'Gemma2ForCausalLM',
  gemma3_text: 'Gemma3ForCausalLM',
  gpt2: 'GPT2LMHeadModel',
  gpt_neox: 'GPTNeoXForCausalLM',
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  phi3: 'Phi3ForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};

/**
 * Writes a GGUF file as a folder with config.json, safetensors, tokenizer.json and
 * tokenizer_config.json. Numbers of 16 and 32 bits keep their type, those of blocks become float32.
 *
 * @param folder - made where it is not there; files of these names are replaced.
 * @throws {ModelError} for a file that cannot be read, or has no such tokenizer.
 */
export async function writeCheckpoint(
  path: string,
  folder: string,
  { tokenizer, signal, onProgress }: WriteCheckpointOptions = {},
): Promise<WrittenCheckpoint> {
  const file = checkpointFolder(path);
  if (!isGgufFile(file)) {
    throw new ModelError(`${file}: is no GGUF file.`, {
      help: 'Name a file *.gguf; a folder of safetensors is written --to gguf.',
    });
  }
  const gguf = openGguf(file);
  const checkpoint = openCheckpoint(file);
  try {
    const { values } = ggufConfig(gguf);
    const model = ggufModel(gguf, 'checkpoint');
    const named = namedWeights(model).filter(({ name }) => checkpoint.weights.has(name));
    const weights = new Map(named.map((weight) => [weight.name, weight]));
    const hasTokenizer = tokenizer ?? gguf.metadata.has('tokenizer.ggml.tokens');
    const texts = hasTokenizer ? ggufTokenizer(gguf) : null;
    makeFolder(folder);
    const totalBytes = 4 * checkpoint.parameterCount;
    let [doneBytes, sizeBytes] = [0, 0];
    const arrayOf = async (name: string, shape: readonly number[]) => {
      signal?.throwIfAborted();
      const change = fromGgufLayout(model, weights.get(name)!);
      const stored = await checkpoint.readStored(name);
      const { dtype, values: numbers } = change === null ? stored : change(stored);
      doneBytes += 4 * numbers.length;
      sizeBytes += numbers.byteLength;
      onProgress?.({ tensor: name, doneBytes, totalBytes });
      return { shape, dtype, data: floatsOf({ dtype, values: numbers }) };
    };
    const shapes = new Map(named.map(({ name, shape }) => [name, shape]));
    await writeShards(folder, { shapes, numbers: SHARD, arrayOf });
    const modelType = model.architecture.modelType;
    const config = configText({ architectures: [classes[modelType]], ...values });
    writeFileSync(join(folder, 'config.json'), config);
    if (texts !== null) {
      writeJson(folder, 'tokenizer.json', texts.content);
      writeJson(folder, 'tokenizer_config.json', texts.config);
    }
    return { folder, modelType, tensorCount: named.length, sizeBytes, hasTokenizer };
  } finally {
    checkpoint.close();
    gguf.close();
  }
}

/**
 * Refuses to write over what is there.
 *
 * @param path - a file, or a folder that would get config.json.
 */
export function assertNotThere(path: string): void {
  const own = existsSync(path) && !isGgufFile(path) ? join(path, 'config.json') : path;
  if (!existsSync(own)) return;
  throw new DataError(`${own}: is there already.`, {
    file: own,
    help: 'Write to another place, or over it with --force.',
  });
}

const writeJson = (folder: string, name: string, value: object): void =>
  writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
