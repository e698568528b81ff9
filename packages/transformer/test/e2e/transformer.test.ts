import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from '@lab/core/testing';
import { readSafetensors, writeSafetensors } from '@lab/tensor/io';
import { describe, expect, it } from 'vitest';
import { farthest } from '../golden/golden-files.js';
import { packageFolder, transformer, transformerHere } from './transformer-process.js';

const checkpoint = (name: string) => join(packageFolder, 'test/golden/checkpoints', name);

function idFile(content: unknown): string {
  const path = join(temporaryFolder(), 'ids.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('transformer', () => {
  it.each([
    ['llama3', ['--stream'], ['logits', 'hidden.0', 'hidden.1', 'hidden.2']],
    ['t5', [], ['logits', 'hidden.0', 'hidden.2', 'encoder.0', 'encoder.3']],
  ])('hidden writes logits and states of %s', async (name, flags, names) => {
    const { tensors } = await readSafetensors(join(checkpoint(name), 'golden.safetensors'));
    const rows = (key: string) => {
      const { shape, data } = tensors[key]!;
      return Array.from({ length: shape[0]! }, (_, row) =>
        Array.from(data.slice(row * shape[1]!, (row + 1) * shape[1]!), Number),
      );
    };
    const decoder = 'decoderIds' in tensors ? { decoderIds: rows('decoderIds') } : {};
    const ids = idFile({ ids: rows('ids'), mask: rows('mask'), ...decoder });
    const out = join(temporaryFolder(), 'states.safetensors');
    const args = ['hidden', checkpoint(name), '--ids', ids, '--out', out, ...flags];
    const { code, stdout, stderr } = await transformer(...args);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('logits [3, ');
    const found = (await readSafetensors(out)).tensors;
    for (const key of names) {
      expect(found[key]!.shape, key).toEqual(tensors[key]!.shape);
      // Two of the texts are padded; nothing is of the decoder of a T5.
      const isPadded = key.startsWith('encoder.') || !('decoderIds' in tensors);
      const mask = isPadded ? rows('mask') : rows('decoderIds').map((row) => row.map(() => 1));
      const [own, wanted] = [found[key]!, tensors[key]!].map(({ data }) => data as Float32Array);
      expect(farthest(own!, wanted!, mask), key).toBeLessThan(1e-4);
    }
  });

  it('lens lists the tokens of every layer', async () => {
    const ids = idFile({ ids: [[5, 9, 3, 44]] });
    const found = await transformer('lens', checkpoint('gpt2'), '--ids', ids, '--top', '2');
    expect(found.code, found.stderr).toBe(0);
    expect(found.stdout).toMatch(/^layer +tokens/m);
    expect(found.stdout).toMatch(/^ *3 +\d+ \.\d{3} {2}\d+ \.\d{3}$/m);
    const wrong = await transformerHere('lens', checkpoint('gpt2'), '--prompt', 'a');
    expect(wrong.stderr).toContain('has no tokenizer.json');
    const changes = idFile([{ kind: 'zero', site: 'layers.0' }]);
    const args = ['lens', checkpoint('gpt2'), '--ids', ids, '--interventions', changes];
    const changed = await transformer(...args, '--top', '2');
    expect(changed.code, changed.stderr).toBe(0);
    const layer = (text: string, at: number) =>
      text.split('\n').find((line) => RegExp(`^ *${at} `).test(line));
    expect(layer(changed.stdout, 0)).toBe(layer(found.stdout, 0));
    expect(layer(changed.stdout, 1)).not.toBe(layer(found.stdout, 1));
    const both = await transformerHere('lens', checkpoint('gpt2'), '--prompt', 'a', '--ids', ids);
    expect(both.stderr).toContain('give either --prompt or --ids');
  });

  it('validate checks a model', async () => {
    const { code, stdout } = await transformer('validate', checkpoint('gpt2'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^padding moves nothing +\d\.\de-\d+ {2}ok$/m);
  });

  it('hidden leaves a pipe and a link in their places', async () => {
    const folder = temporaryFolder();
    const [out, link] = [join(folder, 'pipe'), join(folder, 'link')];
    execFileSync('mkfifo', [out]);
    writeFileSync(join(folder, 'target'), '');
    symlinkSync('target', link);
    const ids = idFile({ ids: [[5, 9]] });
    const read = text(spawn('cat', [out]).stdout);
    const found = await transformerHere('hidden', checkpoint('gpt2'), '--ids', ids, '--out', out);
    expect(found.code).toBe(0);
    expect(await read).toContain('hidden.0');
    expect(statSync(out).isFIFO()).toBe(true);
    await transformerHere('hidden', checkpoint('gpt2'), '--ids', ids, '--out', link);
    expect(readFileSync(join(folder, 'target'), 'utf8')).toContain('hidden.0');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it('hidden --plan says how much is computed, in a unit that fits', async () => {
    const ids = idFile({ ids: [[5, 9]] });
    const found = await transformerHere('hidden', checkpoint('gpt2'), '--ids', ids, '--plan');
    expect(found.stdout).toMatch(/^run +about .+, [\d.]+ MFLOP$/m);
  });

  it('says where values are no numbers, and that texts are longer than the model', async () => {
    const folder = join(temporaryFolder(), 'broken');
    cpSync(checkpoint('llama'), folder, { recursive: true });
    const path = join(folder, 'model.safetensors');
    const { tensors } = await readSafetensors(path);
    tensors['model.layers.1.mlp.down_proj.weight']!.data[0] = Number.NaN;
    await writeSafetensors(path, tensors);
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ ...config, max_position_embeddings: 3 }),
    );
    const ids = idFile({ ids: [[5, 9, 3, 44]] });
    const lens = await transformerHere('lens', folder, '--ids', ids);
    expect(lens.code, lens.stderr).toBe(0);
    expect(lens.stderr).toContain('logits of layer 2 are not numbers (NaN)');
    expect(lens.stderr).toContain('changes of block 1');
    const out = ['--out', join(temporaryFolder(), 'a.safetensors')];
    const hidden = await transformerHere('hidden', folder, '--ids', ids, ...out);
    expect(hidden.stderr).toMatch(/^hidden\.2: [\d,]+ of [\d,]+ values are not numbers/m);
    const names = ['--names', '*hook_resid_post'];
    const cache = await transformerHere('cache', folder, '--ids', ids, ...out, ...names);
    expect(cache.stderr).toMatch(/^blocks\.1\.hook_resid_post: /m);
    for (const { stderr } of [lens, hidden, cache]) {
      expect(stderr).toContain('a text has 4 tokens, the model was made for 3');
    }
  });

  it('inspect says what a checkpoint is', async () => {
    const { code, stdout } = await transformer('inspect', checkpoint('gemma2'), '--hooks');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^family +gemma2$/m);
    expect(stdout).toMatch(/^weights +\d+, all that its config asks for$/m);
    expect(stdout).toMatch(/^heads +\d+, \d+ wide; keys and values \d+$/m);
    expect(stdout).toMatch(/^blocks +\d+, \d+ with a window$/m);
    expect(stdout).toMatch(/^blocks\.1\.attn\.hook_z {2}\[B, T, \d+, \d+\]/m);
    const json = await transformer('inspect', checkpoint('t5'), '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      status: 'success',
      architecture: { modelType: 't5' },
    });
  });

  it.each([
    ['no file of ids', () => '/none.json', /none\.json: there is no such file/],
    ['a folder', () => temporaryFolder(), /is a folder, not a file/],
    ['an empty file', () => idFile(''), /ids\.json: is empty/],
    ['a file that is no JSON', () => idFile('{'), /is not JSON \(.+position 1/],
    ['no texts', () => idFile({ ids: [] }), /ids is a list of no texts/],
    ['a text without tokens', () => idFile({ ids: [[1], []] }), /ids has no tokens in row 1/],
    ['an id that is no whole number', () => idFile({ ids: [[1, 0.5]] }), /0\.5 in row 0 at 1/],
    [
      'a mask of fewer texts',
      () => idFile({ ids: [[1], [2]], mask: [[1]] }),
      /mask has 1 row, ids/,
    ],
    [
      'a longer mask',
      () => idFile({ ids: [[1]], mask: [[1, 1]] }),
      /2 numbers in row 0, ids have 1/,
    ],
    ['ids that are no rows', () => idFile({ ids: [1, 2] }), /ids is not a list of lists/],
    ['another field', () => idFile({ ids: [[1]], masks: [[1]] }), /has masks, which is not known/],
    ['decoderIds for a decoder', () => idFile({ ids: [[1]], decoderIds: [[0]] }), /has no encoder/],
    ['an id that is not there', () => idFile({ ids: [[1000]] }), /has the id 1000/],
    [
      'ids of two lengths',
      () => idFile({ ids: [[1, 2], [3]] }),
      /ids has 1 number in row 1, row 0 has 2/,
    ],
  ])('hidden refuses %s and writes nothing', async (_, ids, message) => {
    const out = join(temporaryFolder(), 'states.safetensors');
    const args = ['hidden', checkpoint('gpt2'), '--ids', ids(), '--out', out];
    const { code, stderr } = await transformerHere(...args);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });
});
