import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { readSafetensors } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import { texts, writeTokenizer } from '../../bench/gguf-tokenizers.js';
import {
  fileOf,
  ggufBytes,
  llamaMetadata,
  llamaTensors,
} from '../../src/gguf/__fixtures__/gguf-bytes.js';
import {
  type GgufType,
  loadModel,
  type LoadModelOptions,
  loadTokenizer,
  readModelConfig,
  writeCheckpoint,
  writeGguf,
  writeRandomCheckpoint,
} from '../../src/index.js';
import { openGguf } from '../../src/gguf/gguf-file.js';
import { openCheckpoint } from '../../src/weights/checkpoint.js';
import { farthest, idRows } from './golden-files.js';

const folder = join(import.meta.dirname, 'checkpoints');
/** What GGUF cannot hold of these, and says so. */
const refused: Readonly<Record<string, RegExp>> = {
  'falcon-alibi': /isParallel false, read as true; .*positions.kind "alibi"/,
  gemma2: /blocks\[0\].scoreScale 0.288\d+, read as 0.353/,
  gemma3: /blocks\[0\].scoreScale/,
  'gemma3-wrapped': /blocks\[0\].scoreScale/,
  'gpt-neox-odd': /blocks\[0\].rotary, read with other angles/,
  'llama-dynamic': /blocks\[0\].rotary, read with other angles/,
  'llama-yarn': /blocks\[0\].rotary, read with other angles/,
  'llama-yarn-mscale': /blocks\[0\].rotary, read with other angles/,
  qwen2: /blocks\[1\].window 5, read as null/,
};
/** Factors of their positions are rounded on the way. */
const rounded = /^llama3|^phi3-longrope/;
const names = readdirSync(folder).filter((name) => !name.startsWith('t5'));
const held = names.filter((name) => refused[name] === undefined);

async function logitsOf(path: string, ids: number[][], options: LoadModelOptions = {}) {
  const model = await loadModel(path, options);
  const result = await model.forward({ ids });
  const logits = Float32Array.from((await result.logits!.data()) as Float32Array);
  result.dispose();
  model.dispose();
  return logits;
}

async function written(name: string, type: GgufType, path = join(folder, name)): Promise<string> {
  const file = join(temporaryFolder(), `${type}.gguf`);
  await writeGguf(path, file, { type });
  return file;
}

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(held)('%s as GGUF', (name) => {
  it('in F32 gives the logits of transformers, and its own ones bit for bit', async () => {
    const { tensors } = await readSafetensors(join(folder, name, 'golden.safetensors'));
    const [ids, mask] = [idRows(tensors['ids']!), idRows(tensors['mask']!)];
    const file = await written(name, 'f32');
    const model = await loadModel(file);
    const result = await model.forward({ ids, mask });
    const logits = (await result.logits!.data()) as Float32Array;
    expect(farthest(logits, tensors['logits']!.data as Float32Array, mask)).toBeLessThan(1e-4);
    result.dispose();
    model.dispose();
    const own = await logitsOf(join(folder, name), ids);
    const same = await logitsOf(file, ids);
    if (rounded.test(name)) expect(farthest(same, own, mask)).toBeLessThan(1e-4);
    else expect(same).toEqual(own);
    for (const residency of ['host', 'streamed'] as const) {
      expect(await logitsOf(file, ids, { residency })).toEqual(same);
    }
  });

  it('comes back as the checkpoint that it was', async () => {
    const back = join(temporaryFolder(), name);
    await writeCheckpoint(await written(name, 'f32'), back);
    const [own, other] = [openCheckpoint(join(folder, name)), openCheckpoint(back)];
    for (const [weight, { shape }] of other.weights) {
      const stored = own.weights.has(weight) ? weight : weight.replace(/^transformer\./, '');
      expect(own.weights.get(stored)!.shape, weight).toEqual(shape);
      const [a, b] = [await own.read(stored), await other.read(weight)];
      // 1 + w - 1 is rounded.
      const isGain = name.startsWith('gemma') && weight.includes('norm');
      if (isGain) expect(b.every((value, at) => Math.abs(value - a[at]!) < 1e-6)).toBe(true);
      else expect(b, weight).toEqual(a);
    }
    own.close();
    other.close();
    const ids = [[3, 17, 42, 7, 9]];
    const difference = farthest(
      await logitsOf(back, ids),
      await logitsOf(join(folder, name), ids),
      [ids[0]!.map(() => 1)],
    );
    expect(difference).toBeLessThan(1e-4);
  });
});

describe.each(Object.keys(refused))('%s', (name) => {
  it('is refused, with what GGUF cannot hold', async () => {
    await expect(written(name, 'f32')).rejects.toThrow(refused[name]);
    await expect(written(name, 'f32')).rejects.toThrow('GGUF cannot hold this model exactly');
  });
});

const sizes = { vocab_size: 160, hidden_size: 64, num_hidden_layers: 7, num_attention_heads: 4 };
const gated = { ...sizes, intermediate_size: 96, num_key_value_heads: 2 };
const scored = { ...gated, head_dim: 32, sliding_window: 5, query_pre_attn_scalar: 32 };
/** Families whose goldens GGUF cannot hold, as their real models are. */
const drawn: Readonly<Record<string, Record<string, unknown>>> = {
  qwen2: { model_type: 'qwen2', ...gated },
  gemma2: { model_type: 'gemma2', ...scored, attn_logit_softcapping: 50 },
  gemma3: {
    ...{ model_type: 'gemma3_text', ...scored, sliding_window_pattern: 6 },
    rope_scaling: { rope_type: 'linear', factor: 8 },
  },
  yarn: {
    ...{ model_type: 'llama', ...gated, max_position_embeddings: 256 },
    rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 },
  },
};

async function randomCheckpoint(config: Record<string, unknown>): Promise<string> {
  const path = join(temporaryFolder(), 'random');
  await writeRandomCheckpoint(path, config);
  return path;
}

describe.each(Object.keys(drawn))('%s of random weights as GGUF', (name) => {
  it('gives the same logits in F32', async () => {
    const path = await randomCheckpoint(drawn[name]!);
    const ids = [[3, 17, 42, 7, 9, 11, 2, 5, 90]];
    expect(await logitsOf(await written(name, 'f32', path), ids)).toEqual(
      await logitsOf(path, ids),
    );
  });
});

describe('types of 16 and 8 bits', () => {
  const halves = { f16: 2 ** -11, bf16: 2 ** -8 } as const;

  it.each(['f16', 'bf16', 'q8_0'] as const)(
    '%s holds numbers within its rounding',
    async (type) => {
      const path = await randomCheckpoint(drawn['qwen2']!);
      const file = await written('qwen2', type, path);
      const [own, other] = [openCheckpoint(path), openCheckpoint(file)];
      for (const [name, { shape, dtype }] of other.weights) {
        const [a, b] = [await own.read(name), await other.read(name)];
        expect(dtype).toBe(
          shape.length === 1 ? 'float32' : { f16: 'float16', bf16: 'bfloat16', q8_0: 'q8_0' }[type],
        );
        const off = (at: number) => Math.abs(a[at]! - b[at]!);
        for (let at = 0; at < a.length; at += 1) {
          const block = a.subarray(at - (at % 32), at - (at % 32) + 32);
          const most = block.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
          // Half a step, and the rounding of the step itself.
          const limit =
            type === 'q8_0'
              ? most * (0.5 / 127 + 2 ** -10)
              : Math.abs(a[at]!) * halves[type] + 2 ** -25;
          if (off(at) > (shape.length === 1 ? 0 : limit)) expect(off(at), name).toBeLessThan(limit);
        }
      }
      own.close();
      other.close();
      const ids = [[3, 17, 42, 7, 9, 11, 2, 5, 90]];
      const [exact, near] = [await logitsOf(path, ids), await logitsOf(file, ids)];
      const spread = Math.max(...exact) - Math.min(...exact);
      const limit = { f16: 2e-3, bf16: 2e-2, q8_0: 2e-2 }[type];
      expect(farthest(near, exact, [ids[0]!.map(() => 1)])).toBeLessThan(limit * spread);
      for (const residency of ['host', 'streamed'] as const) {
        expect(await logitsOf(file, ids, { residency })).toEqual(near);
      }
    },
  );

  it('writes rows of no whole blocks in F16, and refuses numbers that are too large', async () => {
    const path = await randomCheckpoint({ ...drawn['qwen2']!, intermediate_size: 80 });
    const file = join(temporaryFolder(), 'a.gguf');
    const { remarks } = await writeGguf(path, file, { type: 'q8_0' });
    expect(remarks).toEqual([
      '7 tensors in F16: rows are no whole blocks of q8_0 (blk.0.ffn_down.weight).',
    ]);
    expect(readModelConfig(file).architecture.mlpWidth).toBe(80);
    const bytes = readFileSync(join(path, 'model.safetensors'));
    // The first number of the file is of a matrix.
    bytes.writeFloatLE(1e6, 8 + Number(bytes.readBigUInt64LE(0)));
    writeFileSync(join(path, 'model.safetensors'), bytes);
    await expect(writeGguf(path, file)).rejects.toThrow('has the number 1000000, which F16 cannot');
  });

  it('reads blocks of every kind in one file, and gives them as safetensors', async () => {
    const bytes = await ggufBytes(llamaMetadata, llamaTensors);
    const empty = openGguf(fileOf(bytes));
    for (const { type, begin, sizeBytes } of empty.tensors.values()) {
      const isFloat = type.name === 'F32';
      for (let at = begin; at < begin + sizeBytes; at += isFloat ? 4 : 1) {
        // Of other types all scales, and numbers of 16 bits, are from 0 to 1.1 then.
        if (isFloat) bytes.writeFloatLE(Math.sin(at), at);
        else bytes[at] = (at * 7) % 61;
      }
    }
    empty.close();
    const back = join(temporaryFolder(), 'back');
    const file = fileOf(bytes);
    await writeCheckpoint(file, back);
    const ids = [[1, 2, 6, 3]];
    const logits = await logitsOf(file, ids);
    expect(logits.every(Number.isFinite)).toBe(true);
    expect(new Set(logits).size).toBeGreaterThan(20);
    expect(await logitsOf(back, ids)).toEqual(logits);
  });
});

interface Case {
  readonly text: string;
  readonly ids: number[];
}

const byBytes = ['gpt2', 'gpt-neox', 'falcon', 'llama3', 'qwen2', 'mistral-tekken'];

describe.each([...byBytes, 'llama2', 'gemma'])('the tokenizer %s as GGUF', (name) => {
  it('gives the same ids, texts and conversations', async () => {
    const path = await randomCheckpoint({ model_type: 'llama', ...gated, vocab_size: 704 });
    writeTokenizer(name, path);
    const file = await written(name, 'f16', path);
    const back = join(temporaryFolder(), 'back');
    await writeCheckpoint(file, back);
    const [own, ...others] = [path, file, back].map((one) => loadTokenizer(one));
    const golden = JSON.parse(
      readFileSync(join(import.meta.dirname, 'tokenizers/golden.json'), 'utf8'),
    ) as { tokenizers: Record<string, { texts?: Case[]; encoded?: Case[] }> };
    const cases = Object.values(golden.tokenizers[name]!).flat() as { text?: unknown }[];
    const given = cases.map(({ text }) => text).filter((text) => typeof text === 'string');
    for (const other of others) {
      for (const text of [...texts, ...given]) {
        for (const addSpecialTokens of [true, false]) {
          const ids = own!.encode(text, { addSpecialTokens });
          expect(other.encode(text, { addSpecialTokens }), text).toEqual(ids);
          expect(other.decode(ids)).toBe(own!.decode(ids));
          expect(other.decode(ids, { skipSpecialTokens: true })).toBe(
            own!.decode(ids, { skipSpecialTokens: true }),
          );
        }
      }
      expect(other.chat.names).toEqual(own!.chat.names);
      const talk = [{ role: 'user', content: 'How tall?' }];
      for (const template of own!.chat.names) {
        expect(other.chat.render(talk, { template })).toBe(own!.chat.render(talk, { template }));
      }
      expect([other.beginId, other.endId, other.paddingId]).toEqual([
        ...[own!.beginId, own!.endId, own!.paddingId],
      ]);
    }
  });
});

describe('a tokenizer that GGUF cannot hold', () => {
  it.each([
    ['t5', 'GGUF has no keys for a tokenizer of this kind'],
    ['llama2', 'GGUF cannot hold this tokenizer exactly: merge 28 of 271'],
  ])('%s is refused, or left out', async (name, message) => {
    const path = await randomCheckpoint({ model_type: 'llama', ...gated, vocab_size: 704 });
    cpSync(join(import.meta.dirname, 'tokenizers', name), path, { recursive: true });
    const file = join(temporaryFolder(), 'a.gguf');
    await expect(writeGguf(path, file)).rejects.toThrow(message);
    expect((await writeGguf(path, file, { tokenizer: false })).hasTokenizer).toBe(false);
    expect(() => loadTokenizer(file)).toThrow('its tokenizer (tokenizer.ggml.model) is "no_vocab"');
  });
});

describe('a folder', () => {
  it('with one GGUF file and no config.json is that file', async () => {
    const own = temporaryFolder();
    cpSync(await written('llama', 'f32'), join(own, 'a.gguf'));
    expect(readModelConfig(join(own, 'a.gguf')).architecture.layerCount).toBe(3);
    expect(await logitsOf(own, [[1, 2]])).toEqual(await logitsOf(join(folder, 'llama'), [[1, 2]]));
    cpSync(join(own, 'a.gguf'), join(own, 'b.gguf'));
    await expect(loadModel(own)).rejects.toThrow('has 2 GGUF files: a.gguf, b.gguf');
  });
});
