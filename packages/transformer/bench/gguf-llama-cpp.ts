// GGUF files that we write beside llama.cpp, which reads them through node-llama-cpp: node
// --conditions=@lab/source --import tsx packages/transformer/bench/gguf-llama-cpp.ts [FOLDER].
// FOLDER has node_modules/node-llama-cpp; without it and where there is none yet, it is installed
// below runs/long. Every small checkpoint of the goldens that GGUF can hold, and random ones with
// rows of whole blocks: logits of all positions, greedy tokens, and ids of texts. Prints one JSON
// line and fails where something is beyond its limit.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '@lab/core';
import { selectBackend } from '@lab/tensor';
import {
  type GgufType,
  loadModel,
  loadTokenizer,
  type Model,
  writeGguf,
  writeRandomCheckpoint,
} from '../src/index.js';
import { texts, writeLetters, writeTokenizer } from './gguf-tokenizers.js';
import { LLAMA_CPP_VERSION, type LlamaModel, loadLlamaCpp } from './node-llama-cpp.js';

const golden = join(import.meta.dirname, '../test/golden');
const llama = await loadLlamaCpp(process.argv[2]);
await selectBackend('wasm');

const IDS = [3, 17, 42, 7, 9, 11, 30, 2, 5, 61, 33, 8, 21, 90, 4, 77, 1, 50, 13, 28];
const GREEDY = 8;

/** Logits `[T][V]` of llama.cpp. */
async function theirLogits(model: LlamaModel, ids: readonly number[]): Promise<number[][]> {
  const context = await model.createContext({
    ...{ contextSize: 64, batchSize: 64, flashAttention: false, threads: 1 },
    ...{ experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' },
  });
  try {
    const asked = ids.map((id) => [id, { generateNext: { logits: true } }]);
    const result = await context.getSequence().controlledEvaluate(asked);
    return result.map(({ next: { logits } }) => {
      const row: number[] = [];
      for (const [id, value] of logits) row[id] = value;
      return row;
    });
  } finally {
    await context.dispose();
  }
}

async function ourLogits(model: Model, ids: readonly number[]): Promise<number[][]> {
  const result = await model.forward({ ids: [[...ids]] });
  const values = await result.logits!.data();
  const size = values.length / ids.length;
  const rows = ids.map((_, at) => Array.from(values.slice(at * size, (at + 1) * size)));
  result.dispose();
  return rows;
}

const largest = (row: readonly number[]) => row.indexOf(Math.max(...row));

/** Largest difference over the spread of the logits, and steps with the same greedy token. */
async function compared(file: string): Promise<{ error: number; sameSteps: number }> {
  const ours = await loadModel(file);
  const theirs = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
  try {
    const [a, b] = [await ourLogits(ours, IDS), await theirLogits(theirs, IDS)];
    const spread = Math.max(...a.map((row) => Math.max(...row) - Math.min(...row)));
    const errors = a.flatMap((row, t) => row.map((value, id) => Math.abs(value - b[t]![id]!)));
    const error = errors.every(Number.isFinite) ? Math.max(...errors) / spread : Infinity;
    const ids = IDS.slice(0, 10);
    let sameSteps = 0;
    for (let step = 0; step < GREEDY; step += 1) {
      const own = largest((await ourLogits(ours, ids)).at(-1)!);
      if (own === largest((await theirLogits(theirs, ids)).at(-1)!)) sameSteps += 1;
      ids.push(own);
    }
    return { error, sameSteps };
  } finally {
    ours.dispose();
    await theirs.dispose();
  }
}

const rows = { vocab_size: 128, hidden_size: 64, num_hidden_layers: 3, num_attention_heads: 4 };
const gated = {
  ...rows,
  intermediate_size: 96,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
};
const gemma = { ...gated, head_dim: 16, rope_theta: 500 };
/** Random checkpoints with rows of whole blocks. */
const drawn: Readonly<Record<string, object>> = {
  llama: { model_type: 'llama', ...gated, rope_theta: 500 },
  mistral: { model_type: 'mistral', ...gated, sliding_window: null },
  yarn: {
    ...{ model_type: 'llama', ...gated, max_position_embeddings: 256 },
    rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 },
  },
  qwen2: { model_type: 'qwen2', ...gated, rope_theta: 500 },
  qwen3: { model_type: 'qwen3', ...gated, head_dim: 32 },
  phi3: { model_type: 'phi3', ...gated },
  gemma: { model_type: 'gemma', ...gemma },
  gemma2: { model_type: 'gemma2', ...gemma, sliding_window: 8, query_pre_attn_scalar: 16 },
  gemma3: { model_type: 'gemma3_text', ...gemma, sliding_window: 8, query_pre_attn_scalar: 16 },
  gpt2: { model_type: 'gpt2', vocab_size: 128, n_embd: 64, n_head: 4, n_layer: 3, n_positions: 64 },
  falcon: { model_type: 'falcon', ...rows, new_decoder_architecture: true, num_kv_heads: 2 },
  gpt_neox: { model_type: 'gpt_neox', ...rows, intermediate_size: 96 },
};

/** Its GELU is a table of 16 bits, its products with 16-bit or smaller weights round inputs. */
const LIMITS: Readonly<Record<GgufType, number>> = { f32: 2e-3, f16: 4e-3, bf16: 3e-2, q8_0: 4e-2 };

/**
 * Where it computes something else by itself: it has no window where the architecture is llama, and
 * takes the factors for long texts where its context is long, which it always is.
 */
const otherwise = new Set(['mistral', 'phi3-longrope-short']);

const folder = mkdtempSync(join(tmpdir(), 'lab-gguf-'));
const errors: Record<string, Record<string, number>> = {};
const failures: string[] = [];
const notHeld: string[] = [];
let [same, steps] = [0, 0];

async function check(name: string, path: string, types: readonly GgufType[]): Promise<void> {
  // Without one it generates nothing.
  writeLetters(path);
  for (const type of types) {
    const file = join(folder, `${name}-${type}.gguf`);
    try {
      await writeGguf(path, file, { type });
      const { error, sameSteps } = await compared(file);
      (errors[name] ??= {})[type] = Number(error.toPrecision(2));
      same += sameSteps;
      steps += GREEDY;
      if (!(error < LIMITS[type])) failures.push(`${name} ${type}: ${error.toPrecision(2)}`);
      if (type !== 'q8_0' && type !== 'bf16' && sameSteps < GREEDY) {
        failures.push(`${name} ${type}: ${sameSteps} of ${GREEDY} greedy tokens`);
      }
    } catch (error) {
      if (!LabError.is(error)) throw error;
      notHeld.push(name);
      return;
    } finally {
      rmSync(file, { force: true });
    }
    process.stderr.write(`${name} ${type}\n`);
  }
}

for (const name of readdirSync(join(golden, 'checkpoints'))) {
  if (name.startsWith('t5') || otherwise.has(name)) continue;
  // A model called phi3 must have tokens of Phi 3.
  const path = join(folder, name.replace('phi3', 'phi_3'));
  cpSync(join(golden, 'checkpoints', name), path, { recursive: true });
  await check(name, path, ['f32', 'f16']);
}
for (const [name, config] of Object.entries(drawn)) {
  const path = join(folder, name.replace('phi3', 'phi_3'));
  await writeRandomCheckpoint(path, config as Record<string, unknown>);
  await check(`${name} of blocks`, path, ['f32', 'f16', 'bf16', 'q8_0']);
}

/** Ids of texts by both. */
const tokenizers: Record<string, string> = {};
const byBytes = ['gpt2', 'gpt-neox', 'falcon', 'llama3', 'qwen2', 'mistral-tekken'];
for (const name of [...byBytes, 'llama2', 'gemma']) {
  const path = join(folder, `tokenizer-${name}`);
  const config = { model_type: 'llama', ...gated, vocab_size: 704 };
  await writeRandomCheckpoint(path, config);
  writeTokenizer(name, path);
  const file = join(folder, `${name}.gguf`);
  await writeGguf(path, file);
  const theirs = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
  const [own, fromFolder] = [loadTokenizer(file), loadTokenizer(path)];
  const ids = texts.map((text) => own.encode(text, { addSpecialTokens: false }));
  const wrong = texts.filter((text, at) => {
    const same = fromFolder.encode(text, { addSpecialTokens: false });
    return [theirs.tokenize(text, true), same].some((one) => one.join() !== ids[at]!.join());
  });
  tokenizers[name] = `${texts.length - wrong.length} of ${texts.length} texts`;
  for (const text of wrong) {
    const shown = `${ids[texts.indexOf(text)]!.join()} / ${theirs.tokenize(text, true).join()}`;
    failures.push(`tokenizer ${name}: ${JSON.stringify(text)}: ${shown}`);
  }
  await theirs.dispose();
}
rmSync(folder, { recursive: true, force: true });
const greedy = `${same} of ${steps} steps`;
console.log(
  JSON.stringify({
    nodeLlamaCpp: LLAMA_CPP_VERSION,
    errors,
    greedy,
    notHeld,
    tokenizers,
    failures,
  }),
);
process.exit(failures.length > 0 ? 1 : 0);
