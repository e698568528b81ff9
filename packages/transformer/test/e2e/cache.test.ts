import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { readNpy, readSafetensors } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel, loadTokenizer, writeRandomCheckpoint } from '../../src/index.js';
import { packageFolder, transformer, transformerHere } from './transformer-process.js';

const golden = join(packageFolder, 'test/golden');
const checkpoint = (name: string) => join(golden, 'checkpoints', name);
const cache = (...args: string[]) => transformer('cache', ...args);
const cacheHere = (...args: string[]) => transformerHere('cache', ...args);

/** A file in a folder of its own. */
function fileOf(name: string, content: unknown): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** A llama of random weights with a tokenizer and a chat template. */
async function talkingModel(): Promise<string> {
  const folder = join(temporaryFolder(), 'model');
  await writeRandomCheckpoint(folder, {
    ...{ model_type: 'llama', vocab_size: 506, hidden_size: 16, intermediate_size: 32 },
    ...{ num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 },
  });
  cpSync(join(golden, 'tokenizers/llama3'), folder, { recursive: true });
  return folder;
}

const PROMPTS = ['One.', 'A longer prompt, of some tokens', 'x'];

describe('transformer cache', () => {
  let talking: string;
  beforeAll(async () => {
    await selectBackend('wasm');
    talking = await talkingModel();
  });

  it('writes the places that are asked for, by any name', async () => {
    const ids = fileOf('ids.json', { ids: [[5, 9, 3, 44]] });
    const out = join(temporaryFolder(), 'z.safetensors');
    const args = [checkpoint('llama3'), '--ids', ids, '--out', out, '--names'];
    const names = 'blocks.*.attn.hook_z,model.embed_tokens,model.layers.*.mlp';
    const { code, stderr, stdout } = await cache(...args, names);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`${out}: `);
    expect(stdout).toContain('1 text of 4 tokens');
    const { tensors } = await readSafetensors(out);
    expect(Object.keys(tensors).toSorted()).toEqual([
      ...[0, 1, 2].flatMap((block) => [
        `blocks.${block}.attn.hook_z`,
        `blocks.${block}.hook_mlp_out`,
      ]),
      ...['hook_embed', 'ids', 'mask'],
    ]);
    expect(tensors['blocks.0.attn.hook_z']!.shape).toEqual([1, 4, 4, 8]);
    expect(Array.from(tensors['mask']!.data, Number)).toEqual([1, 1, 1, 1]);
  });

  it('tokenises prompts, fills them up on the left, and writes npy with an index', async () => {
    const prompts = fileOf('prompts.txt', `${PROMPTS.join('\n\n')}\r\n`);
    const out = join(temporaryFolder(), 'npy');
    const names = 'blocks.1.hook_resid_post,blocks.0.attn.hook_pattern,hook_logits';
    const args = [talking, '--names', names, '--prompts', prompts, '--batch-tokens', '30'];
    const { code, stderr } = await cache(...args, '--out', out, '--format', 'npy');
    expect(code, stderr).toBe(0);
    const index = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8'));
    expect(readdirSync(out).toSorted()).toEqual(
      ['index.json', ...Object.keys(index).map((name) => `${name}.npy`)].toSorted(),
    );
    const tokenizer = loadTokenizer(talking);
    const texts = tokenizer.encodeBatch(PROMPTS);
    expect(texts.mask[0]![0]).toBe(0);
    const model = await loadModel(talking);
    const result = await model.forward({ ...texts, capture: (name) => name in index });
    result.dispose();
    model.dispose();
    for (const [name, { shape, data }] of result.captured) {
      const found = await readNpy(join(out, index[name].file));
      expect(found.shape, name).toEqual(shape);
      expect(index[name], name).toMatchObject({ shape, dtype: 'float32' });
      // Padding is 0, of queries and of what they look at; by itself it means nothing.
      const isPairs = name.endsWith('pattern');
      const [, first, second] = shape as [number, number, number];
      const inner = data.length / (shape[0]! * first * (isPairs ? second : 1));
      const wanted = Array.from(data, (value, at) => {
        const row = Math.floor(at / inner);
        const text = Math.floor(row / (isPairs ? first * second : first));
        const token = row % (isPairs ? second : first);
        return texts.mask[text]![token] === 0 ? 0 : value;
      });
      const close = { atol: 1e-5, rtol: 1e-5 };
      expect(Array.from(found.data, Number), name).toBeClose(wanted, close);
    }
    const ids = await readNpy(join(out, 'ids.npy'));
    expect(Array.from(ids.data, Number)).toEqual(texts.ids.flat());
    const mask = await readNpy(join(out, 'mask.npy'));
    expect(Array.from(mask.data, Number)).toEqual(texts.mask.flat());
  });

  it('reads conversations, takes last tokens and makes changes', async () => {
    const messages = [{ role: 'user', content: 'How are you?' }];
    const lines = [{ text: 'Hello', id: 7 }, { messages }];
    const prompts = fileOf('prompts.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
    const out = join(temporaryFolder(), 'folder');
    const change = { kind: 'zero', site: 'z', layer: 1, head: 2 };
    const changes = fileOf('changes.json', [change]);
    const args = [talking, '--names', 'blocks.1.attn.hook_result', '--prompts', prompts];
    const options = ['--positions', 'last', '--interventions', changes];
    const { code, stderr } = await cache(...args, '--out', out, ...options);
    expect(code, stderr).toBe(0);
    const { tensors } = await readSafetensors(join(out, 'cache.safetensors'));
    const { shape, data } = tensors['blocks.1.attn.hook_result']!;
    expect(shape).toEqual([2, 1, 4, 16]);
    const head = (at: number) => Array.from(data.slice(at * 16, (at + 1) * 16), Number);
    expect(new Set(head(2))).toEqual(new Set([0]));
    expect(head(1)).not.toEqual(head(2));
    const length = tensors['ids']!.shape[1]!;
    const tokenizer = loadTokenizer(talking);
    const row = Array.from(tensors['ids']!.data.slice(length), Number);
    expect(tokenizer.decode(row)).toMatch(/^<\|begin_of_text\|>.*How are you\?.*assistant/s);
    expect(row.filter((id) => id === tokenizer.beginId)).toHaveLength(1);
  });

  const ids = () => ['--ids', fileOf('ids.json', { ids: [[5, 9]] })];
  const changes = (content: unknown) => [
    ...['--names', 'hook_embed', ...ids()],
    ...['--interventions', fileOf('changes.json', content)],
  ];
  const prompts = (name: string, content: string) => [
    ...['--names', 'hook_embed', '--prompts', fileOf(name, content)],
  ];
  it.each<[string, () => string[], RegExp]>([
    [
      'a pattern that means none',
      () => [...ids(), '--names', '*.nothing_like_it'],
      /no place is called \*\.nothing_like_it\./,
    ],
    [
      'a name that is none',
      () => [...ids(), '--names', 'hook_embd'],
      /no place hook_embd; near: hook_embed/,
    ],
    [
      'a pattern that is near one',
      () => [...ids(), '--names', 'blocks.*.attn.hok_z'],
      /hok_z; near: blocks\.\*\.attn\.hook_z\./,
    ],
    [
      'the end of a name',
      () => [...ids(), '--names', 'hook_z'],
      /no place hook_z without a block\. help: Name one, or all: blocks\.\*\.attn\.hook_z\./,
    ],
    ['no names', ids, /--names is missing/],
    ['an empty name', () => [...ids(), '--names', ''], /--names is missing/],
    ['neither prompts nor ids', () => ['--names', 'hook_embed'], /give either --prompts or --ids/],
    [
      'a batch of none',
      () => [...ids(), '--names', 'hook_embed', '--batch-tokens', '0'],
      /--batch-tokens is 0/,
    ],
    ['no prompts', () => prompts('a.txt', '\n'), /a\.txt: has no prompts/],
    [
      'a line that is no JSON',
      () => prompts('a.jsonl', '{"text": "a"}\n{'),
      /a\.jsonl line 2: is not JSON/,
    ],
    [
      'a line without a text',
      () => prompts('a.jsonl', '{"prompt": "a"}'),
      /line 1: has neither one text nor/,
    ],
    [
      'a role that a template refuses',
      () => prompts('a.jsonl', '{"messages": [{"role": "cat", "content": ""}]}'),
      /line 1: .*Unknown role: cat/,
    ],
    [
      'interventions that are no list',
      () => changes({}),
      /changes\.json: must be a list, each an object, got \{\}/,
    ],
    [
      'a layer that is no number',
      () => changes([{ kind: 'zero', site: 'z', layer: 'one' }]),
      /changes\.json\[0\]\.layer: must be a whole number of at least 0, got "one"/,
    ],
    [
      'a layer that is not there',
      () => changes([{ kind: 'zero', site: 'z', layer: 9 }]),
      /layer is 9/,
    ],
  ])('refuses %s and writes nothing', async (_, args, message) => {
    const out = join(temporaryFolder(), 'out.safetensors');
    const { code, stderr } = await cacheHere(talking, ...args(), '--out', out);
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(message);
    expect([2, 3]).toContain(code);
    expect(existsSync(out)).toBe(false);
  });

  it('refuses npy in one file, and prompts for a model without a tokenizer', async () => {
    const npy = ['--names', 'hook_embed', ...ids(), '--out', 'a.safetensors', '--format', 'npy'];
    const { code, stderr } = await cacheHere(talking, ...npy);
    expect(stderr).toContain('npy has one for each array');
    expect(code).toBe(2);
    const args = [checkpoint('gpt2'), ...prompts('a.txt', 'a'), '--out', 'a'];
    expect((await cacheHere(...args)).stderr).toContain('has no tokenizer.json');
  });

  it('writes places of both sides of a T5', async () => {
    const path = join(checkpoint('t5'), 'golden.safetensors');
    const { tensors } = await readSafetensors(path);
    const rows = (key: string) => {
      const { shape, data } = tensors[key]!;
      return Array.from({ length: shape[0]! }, (_, row) =>
        Array.from(data.slice(row * shape[1]!, (row + 1) * shape[1]!), Number),
      );
    };
    const given = { ids: rows('ids'), mask: rows('mask'), decoderIds: rows('decoderIds') };
    const ids = fileOf('ids.json', given);
    const out = join(temporaryFolder(), 'new', 'states.safetensors');
    const names = 'encoder.1.hook_resid_pre,decoder.*.cross_attn.hook_z';
    const args = [checkpoint('t5'), '--names', names, '--ids', ids, '--out', out];
    const { code, stderr } = await cache(...args);
    expect(code, stderr).toBe(0);
    const found = (await readSafetensors(out)).tensors;
    const wanted = tensors['encoder.1']!;
    const own = found['encoder.1.hook_resid_pre']!;
    expect(own.shape).toEqual(wanted.shape);
    const size = own.data.length / given.ids.length;
    expect(Array.from(own.data.slice(0, size), Number)).toBeClose(
      Array.from(wanted.data.slice(0, size), Number),
      { atol: 1e-4, rtol: 1e-4 },
    );
    expect(found['decoder.0.cross_attn.hook_z']!.shape[1]).toBe(given.decoderIds[0]!.length);
    expect(found['decoderIds']!.shape).toEqual([given.ids.length, given.decoderIds[0]!.length]);
    const wrong = await cacheHere(
      checkpoint('t5'),
      '--names',
      'encoder.9.x',
      '--ids',
      ids,
      '-o',
      out,
    );
    expect(wrong.stderr).toContain('there is no place encoder.9.x');
  });
});
