import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { benchOperations } from './operations.js';

const names = benchOperations.map(({ name }) => name);

/** The names that the Python side knows. */
function torchNames(): string[] {
  const script = readFileSync(new URL('./torch_ops.py', import.meta.url), 'utf8');
  const table = script.slice(script.indexOf('OPERATIONS = {'));
  return [...table.matchAll(/^ {4}"([\w-]+)":/gm)].map(([, name]) => name!);
}

describe('the operations', () => {
  it('have names of their own', () => {
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it('are known by the same names in Python, but the peak of our own instruction', () => {
    expect(torchNames().sort()).toEqual(names.filter((name) => name !== 'peak-fma-128').sort());
  });

  it('contain those that results are quoted of', () => {
    const quoted = `peak-fma-128 triad matmul-2048 matmul-2048-transpose-a matmul-2048-transpose-b
      matmul-256x768x768-gradients attention-12x256x64 gather-200k-300 segment-sum-200k-300
      csr-matmul-forward csr-matmul-gradients gat-layer-forward gat-layer-gradients adamw-5m
      topk-10-of-15000 softmax-4096 layer-norm-4096 gelu-4m matvec-f16-896x4864 small-add`;
    expect(names).toEqual(expect.arrayContaining(quoted.split(/\s+/)));
  });

  it('say what they do, for a rate', () => {
    for (const { name, work } of benchOperations) {
      expect(work.flop ?? work.bytes, name).toBeGreaterThan(0);
    }
  });
});
