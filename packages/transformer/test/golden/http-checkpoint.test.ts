import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { openSafetensors } from '@lab/tensor/io';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  hiddenStates,
  loadModel,
  loadT5,
  loadTokenizer,
  openHttpCheckpoint,
  type Residency,
  writeRandomCheckpoint,
} from '../../src/index.js';
import { T5Model } from '../../src/t5/t5-model.js';
import { readIndex } from '../../src/weights/checkpoint.js';
import { type RangeServer, startRangeServer } from './range-server.js';

const checkpoints = join(import.meta.dirname, 'checkpoints');
const ids = [
  [5, 9, 3, 44, 12],
  [7, 2, 61, 8, 30],
];
const decoderIds = [
  [0, 4, 9],
  [0, 8, 2],
];
const WHOLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

const open: RangeServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function serve(folder: string, delayMs = 0): Promise<RangeServer> {
  const server = await startRangeServer(folder, delayMs);
  open.push(server);
  return server;
}

const copies = () => join(temporaryFolder(), 'copies');

/** Opens what a server has. */
const opened = ({ url }: RangeServer, folder = copies()) =>
  openHttpCheckpoint(url, { fetch, folder });

async function logitsOf(
  source: Parameters<typeof loadModel>[0],
  residency: Residency,
  isT5 = false,
) {
  const model = await (isT5 ? loadT5 : loadModel)(source, { residency });
  const result =
    model instanceof T5Model
      ? await model.forward({ ids, decoderIds })
      : await model.forward({ ids });
  const values = ((await result.logits!.data()) as Float32Array).slice();
  result.dispose();
  model.dispose();
  return values;
}

/** A llama with an own output, of 16 bits. */
async function writeLlama(folder: string, more: { vocab_size?: number; shardBytes?: number } = {}) {
  const { shardBytes = 2e9, vocab_size = 97 } = more;
  const config = {
    ...{ model_type: 'llama', vocab_size, hidden_size: 32, intermediate_size: 64 },
    ...{ num_hidden_layers: 3, num_attention_heads: 4, num_key_value_heads: 2 },
    ...{ tie_word_embeddings: false },
  };
  await writeRandomCheckpoint(folder, config, { dtype: 'bfloat16', shardBytes });
  return folder;
}

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('the same logits, bit for bit, as from the folder', () => {
  it.each(['llama3', 'gpt2', 'phi3', 'falcon-new', 't5-v1.1'])('%s', async (name) => {
    const folder = join(checkpoints, name);
    const server = await serve(folder);
    const isT5 = name.startsWith('t5');
    const { numTensors } = tf.memory();
    for (const residency of ['resident', 'host', 'streamed'] as const) {
      const wanted = await logitsOf(folder, residency, isT5);
      expect(await logitsOf(await opened(server), residency, isT5), residency).toEqual(wanted);
    }
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('of shards in 16 bits, read straight onto the backend', async () => {
    const folder = await writeLlama(join(temporaryFolder(), 'shards'), { shardBytes: 9000 });
    const server = await serve(folder);
    const checkpoint = await opened(server);
    const { names } = readIndex(join(folder, INDEX));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      expect(server.requests.filter((request) => request.name === name).length, name).toBe(2);
    }
    const wanted = await logitsOf(folder, 'streamed');
    expect(await logitsOf(checkpoint, 'streamed')).toEqual(wanted);
    expect(await logitsOf(await opened(server), 'resident')).toEqual(wanted);
  });
});

describe('what is asked for', () => {
  it('a header by two ranges, then each block once, whatever the number of batches', async () => {
    const folder = await writeLlama(join(temporaryFolder(), 'model'));
    const server = await serve(folder);
    const checkpoint = await opened(server);
    const weightRequests = () => server.requests.filter(({ name }) => name === WHOLE);
    expect(weightRequests().map(({ range }) => range![0])).toEqual([0, 8]);
    const model = await loadModel(checkpoint, { residency: 'streamed' });
    const before = weightRequests().length;
    const inputs = [{ ids }, { ids: [[4, 8, 15]] }, { ids: [[16, 23]] }];
    const layers: number[] = [];
    for await (const { layer } of hiddenStates(model, inputs)) layers.push(layer);
    expect(layers.length).toBe(4 * inputs.length);
    const blocks = weightRequests().slice(before);
    // Rows of each batch's tokens, and three blocks, each in one piece.
    const blockBytes = [...checkpoint.weights]
      .filter(([name]) => name.startsWith('model.layers.0.'))
      .reduce((sum, [, { sizeBytes }]) => sum + sizeBytes, 0);
    const whole = blocks.filter(({ range }) => range![1] - range![0] >= blockBytes);
    expect(whole.length).toBe(3);
    expect(blocks.length).toBe(3 + inputs.length);
    model.dispose();
  });

  it('of the embedding only the rows of the tokens', async () => {
    const folder = await writeLlama(join(temporaryFolder(), 'model'), { vocab_size: 20_000 });
    const file = openSafetensors(join(folder, WHOLE));
    const embedding = file.entries.get('model.embed_tokens.weight')!;
    const rest = [...file.entries.keys()].filter(
      (name) => name.includes('.layers.') || name.includes('norm'),
    );
    const restBytes = rest.reduce((sum, name) => {
      const { begin, end } = file.entries.get(name)!;
      return sum + end - begin;
    }, 0);
    const [begin, end] = [file.dataOffset + embedding.begin, file.dataOffset + embedding.end];
    file.close();
    const server = await serve(folder);
    const model = await loadModel(await opened(server), { residency: 'streamed' });
    const result = await model.forward({ ids: [[3, 19_990]], logits: 'none' });
    result.dispose();
    model.dispose();
    const rowBytes = 2 * 32;
    const rows = server.requests.filter(
      ({ name, range }) => name === WHOLE && range![0] >= begin && range![1] <= end,
    );
    expect(rows.map(({ range }) => range![1] - range![0])).toEqual([rowBytes, rowBytes]);
    const header = file.dataOffset + 9 - 8;
    expect(server.bytesOf(WHOLE)).toBe(header + restBytes + 2 * rowBytes);
    expect(server.bytesOf(WHOLE)).toBeLessThan((end - begin) / 8);
  });

  it('at most six requests at once, also for the tokens of a long text', async () => {
    const folder = await writeLlama(join(temporaryFolder(), 'model'), { vocab_size: 40_000 });
    const server = await serve(folder, 5);
    const model = await loadModel(await opened(server), { residency: 'streamed' });
    const long = Array.from({ length: 24 }, (_, at) => at * 1600);
    const result = await model.forward({ ids: [long], logits: 'none', stopBlock: 0 });
    result.dispose();
    model.dispose();
    expect(server.mostAtOnce).toBe(6);
  });

  it('with the headers that are given, and nothing once it is closed', async () => {
    const folder = join(checkpoints, 'llama3');
    const server = await serve(folder);
    const headers = { authorization: 'Bearer word' };
    const checkpoint = await openHttpCheckpoint(`${server.url}/?part=1#top`, {
      ...{ fetch, headers, folder: copies() },
    });
    expect(new Set(server.requests.map((request) => request.headers.authorization))).toEqual(
      new Set(['Bearer word']),
    );
    const { length } = server.requests;
    checkpoint.close();
    await expect(checkpoint.read('model.norm.weight')).rejects.toThrow('has been closed');
    expect(server.requests.length).toBe(length);
  });
});

describe('the folder of copies', () => {
  it('has the small files, for whatever takes a folder', async () => {
    const source = join(temporaryFolder(), 'source');
    cpSync(join(checkpoints, 'llama3'), source, { recursive: true });
    cpSync(join(import.meta.dirname, 'tokenizers/llama3'), source, { recursive: true });
    const server = await serve(source);
    const folder = copies();
    for (let time = 0; time < 2; time += 1) (await opened(server, folder)).close();
    for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
      expect(readFileSync(join(folder, name)), name).toEqual(readFileSync(join(source, name)));
    }
    expect(existsSync(join(folder, WHOLE))).toBe(false);
    expect(existsSync(join(folder, INDEX))).toBe(false);
    const text = 'Hello, world';
    expect(loadTokenizer(folder).encode(text)).toEqual(loadTokenizer(source).encode(text));
  });

  it('is new, or of the same URL', async () => {
    const server = await serve(join(checkpoints, 'llama3'));
    const folder = copies();
    (await opened(server, folder)).close();
    const other = await serve(join(checkpoints, 'gpt2'));
    await expect(opened(other, folder)).rejects.toThrow(/has copies from .*, not from http/);
    await expect(opened(other, join(checkpoints, 'gpt2'))).rejects.toThrow('is not empty');
    expect(other.requests).toEqual([]);
  });
});
