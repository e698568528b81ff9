import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { arrayOutput } from './array-output.js';

it.each(['z.npz', 'z.npy', 'z.pt', 'z.json'])(
  '%s is refused, as a file of no such kind',
  (name) => {
    const out = join(temporaryFolder(), name);
    expect(() => arrayOutput(out, 'safetensors')).toThrow(`names a file *${name.slice(1)}`);
    expect(() => arrayOutput(out, 'npy')).toThrow(
      expect.objectContaining({ code: 'LAB_CONFIG', help: expect.stringContaining('/z/.') }),
    );
  },
);

it('a folder may be called what it likes, once it is there or named as one', () => {
  const folder = join(temporaryFolder(), 'run.json');
  mkdirSync(folder);
  expect(() => arrayOutput(folder, 'npy')).not.toThrow();
  expect(() => arrayOutput(join(temporaryFolder(), 'gpt2.5'), 'npy')).not.toThrow();
  expect(() => arrayOutput(join(temporaryFolder(), 'a.npz', '/'), 'npy')).not.toThrow();
});
