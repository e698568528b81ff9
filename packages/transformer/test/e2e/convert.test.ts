import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { packageFolder, transformer, transformerHere } from './transformer-process.js';

const checkpoints = join(packageFolder, 'test/golden/checkpoints');
const checkpoint = join(checkpoints, 'mistral');

describe('transformer convert', () => {
  it('writes GGUF, which the other verbs take, and safetensors from it', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'model.gguf');
    const made = await transformer('convert', checkpoint, '--type', 'f32', '--out', file);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout).toMatch(/model.gguf: llama, 30 tensors, [\d.]+ kB/);
    expect(made.stderr).toContain('leaves out the window of 5 tokens');
    expect(made.stderr).toContain('without a tokenizer');
    const inspected = await transformerHere('inspect', file);
    expect(inspected.code, inspected.stderr).toBe(0);
    expect(inspected.stdout).toMatch(/family +mistral/);

    const again = await transformerHere('convert', checkpoint, '--out', file);
    expect(again.code).toBe(3);
    expect(again.stderr).toContain('model.gguf: is there already.');
    expect(again.stderr).toContain('--force');
    const before = readFileSync(file);
    const forced = await transformer('convert', checkpoint, '--out', file, '--force', '--json');
    expect(forced.code, forced.stderr).toBe(0);
    expect(JSON.parse(forced.stdout)).toMatchObject({ architecture: 'llama', type: 'f16' });
    expect(readFileSync(file).length).toBeLessThan(before.length);
    expect(readdirSync(folder)).toEqual(['model.gguf']);

    const back = join(folder, 'back');
    const read = await transformer('convert', file, '--to', 'safetensors', '--out', back);
    expect(read.code, read.stderr).toBe(0);
    expect(read.stdout).toMatch(/back: mistral, 30 tensors/);
    expect(readdirSync(back).toSorted()).toEqual(['config.json', 'model.safetensors']);
  });

  it('says what is wrong, and writes nothing', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'model.gguf');
    const own = join(checkpoints, 'falcon-alibi');
    const alibi = await transformerHere('convert', own, '--out', out);
    expect(alibi.code).toBe(4);
    expect(alibi.stderr).toContain('GGUF cannot hold this model exactly');
    const none = await transformerHere('convert', checkpoint);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('--out is missing');
    const turned = await transformerHere(
      'convert',
      checkpoint,
      '--to',
      'safetensors',
      '--out',
      out,
    );
    expect(turned.code).toBe(4);
    expect(turned.stderr).toContain('is no GGUF file');
    expect(existsSync(join(out, 'config.json'))).toBe(false);
  });
});
