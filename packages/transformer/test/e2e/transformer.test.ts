import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { readSafetensors } from '@lab/tensor/io';
import { describe, expect, it } from 'vitest';
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
      // The first text has no padding.
      const size = found[key]!.data.length / 3;
      const wanted = tensors[key]!.data as Float32Array;
      expect(Array.from(found[key]!.data.slice(0, size), Number)).toBeClose(
        Array.from(wanted.slice(0, size)),
        { atol: 1e-4, rtol: 1e-4 },
      );
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

  it('inspect says what a checkpoint is', async () => {
    const { code, stdout } = await transformer('inspect', checkpoint('gemma2'), '--hooks');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^family +gemma2$/m);
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
    ['a file that is no JSON', () => idFile('{'), /is not JSON/],
    ['ids that are no rows', () => idFile({ ids: [1, 2] }), /ids is not a list of lists/],
    ['another field', () => idFile({ ids: [[1]], masks: [[1]] }), /has masks, which is not known/],
    ['decoderIds for a decoder', () => idFile({ ids: [[1]], decoderIds: [[0]] }), /has no encoder/],
    ['an id that is not there', () => idFile({ ids: [[1000]] }), /has the id 1000/],
    [
      'ids of two lengths',
      () => idFile({ ids: [[1, 2], [3]] }),
      /ids has 1 in row 1, not 2 rows of 2/,
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
