import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import {
  loadModel,
  loadTokenizer,
  serveModel,
  type ServeModelOptions,
  writeRandomCheckpoint,
} from '../../src/index.js';
import { packageFolder } from './transformer-process.js';

/** A small model of random weights with a tokenizer of the goldens. */
export interface SmallModel {
  readonly tokenizer?: string;
  readonly layers?: number;
  readonly width?: number;
  readonly positions?: number;
  /** Token that ends a text; default `<|im_end|>` of the tokenizer `qwen2`. */
  readonly endId?: number;
}

/** Writes a small checkpoint. */
export async function writeSmallModel({
  tokenizer = 'qwen2',
  layers = 2,
  width = 32,
  positions = 1024,
  endId = 502,
}: SmallModel = {}): Promise<string> {
  const folder = join(temporaryFolder(), 'small');
  await selectBackend('wasm', { threads: 1 });
  await writeRandomCheckpoint(folder, {
    ...{ model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'], vocab_size: 640 },
    ...{ hidden_size: width, intermediate_size: 2 * width, num_hidden_layers: layers },
    ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: positions },
    ...{ tie_word_embeddings: false, rms_norm_eps: 1e-6, rope_theta: 10_000, eos_token_id: endId },
  });
  cpSync(join(packageFolder, 'test/golden/tokenizers', tokenizer), folder, { recursive: true });
  return folder;
}

/** Serves a checkpoint from this process. */
export async function serveFolder(folder: string, more: Partial<ServeModelOptions> = {}) {
  const tokenizer = loadTokenizer(folder);
  const model = await loadModel(folder);
  const server = await serveModel(async () => model, {
    ...{ tokenizer, servedName: 'small' },
    ...more,
  });
  const root = server.url.replace(/\/v1$/, '');
  return { server, model, tokenizer, root, url: server.url };
}

/** A token with its log-probability. */
export interface ToldToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly { readonly token: string; readonly logprob: number }[];
}

/** One answer of several, whole or a part. */
export interface Choice {
  readonly index: number;
  readonly message: { readonly content: string };
  readonly delta: { readonly content?: string };
  readonly text: string;
  readonly finish_reason: string | null;
  readonly logprobs: {
    readonly content: readonly ToldToken[];
    readonly tokens: readonly string[];
    readonly token_logprobs: readonly number[];
    readonly top_logprobs: readonly Readonly<Record<string, number>>[];
    readonly text_offset: readonly number[];
  } | null;
}

/** What any answer of the server may hold. */
export interface ApiBody {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly model: string;
  readonly choices: readonly Choice[];
  readonly usage: Readonly<Record<string, number>>;
  readonly error: { readonly message: string; type: string; param: string; code: string };
  readonly data: readonly { readonly id: string; index: number; embedding: number[] }[];
  readonly count: number;
  readonly tokens: readonly number[];
}

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ApiBody;
}

/** Posts a value, or a text as it is. */
export async function post(url: string, value: unknown, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    body: typeof value === 'string' ? value : JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
    ...init,
  });
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as ApiBody };
}

/** Posts a value and gives the events of the stream that comes back, as they come. */
export async function* postStream(
  url: string,
  value: object,
  signal?: AbortSignal,
): AsyncGenerator<ApiBody> {
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify({ ...value, stream: true }),
    headers: { 'content-type': 'application/json' },
    ...(signal && { signal }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  let rest = '';
  const decoder = new TextDecoder();
  for await (const part of response.body!) {
    const events = (rest + decoder.decode(part, { stream: true })).split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      const data = event.replace(/^data: /, '');
      if (data !== '[DONE]') yield JSON.parse(data) as ApiBody;
    }
  }
}

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
}

/** A conversation of one question. */
export const ask = (content: string, more: object = {}) => ({
  messages: [{ role: 'user', content }],
  ...more,
});
