import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createRandom } from '@lab/core';
import { instantiateKernels } from './instantiate.mjs';
import { compileKernels } from '../wasm-backend.js';
import { type WasmMemory, webAssembly } from '../webassembly.js';

const PAGES = 96;
const STACK = 65_536;
const [A, B, C, SCRATCH] = [100_000, 200_000, 300_000, 400_000];

interface MemoryConstructor {
  new (descriptor: { initial: number; maximum: number }): WasmMemory;
}

/** Product of a build on a memory of its own: [13, 385] times the transpose of [9, 385]. */
function productOf(build: string, a: Float32Array, b: Float32Array): Float32Array {
  const Memory = (webAssembly as unknown as { Memory: MemoryConstructor }).Memory;
  const memory = new Memory({ initial: PAGES, maximum: 65536 });
  const moduleOf = (name: string) =>
    new webAssembly.Module(new Uint8Array(readFileSync(new URL(`./${name}`, import.meta.url))));
  const modules = { kernels: moduleOf(build), tile: moduleOf(`tile-${build}`) };
  const { exports } = instantiateKernels(modules, memory);
  (exports['__stack_pointer'] as { value: number }).value = STACK;
  new Float32Array(memory.buffer, A, a.length).set(a);
  new Float32Array(memory.buffer, B, b.length).set(b);
  const gemm = exports['gemm'] as (...values: number[]) => number;
  gemm(0, 1, SCRATCH, 13, 9, 385, A, 0, 0, B, 1, 0, C, 18, 16);
  return new Float32Array(memory.buffer, C, 13 * 9).slice();
}

test.each(['simd.wasm', 'relaxed-simd.wasm'])('%s multiplies on any memory', (build) => {
  compileKernels(false); // turns relaxed SIMD on where it has to be
  const random = createRandom(3);
  const a = random.fillNormal(new Float32Array(13 * 385));
  const b = random.fillNormal(new Float32Array(9 * 385));
  const found = productOf(build, a, b);
  for (let i = 0; i < 13; i++) {
    for (let j = 0; j < 9; j++) {
      let sum = 0;
      for (let k = 0; k < 385; k++) sum += (a[i * 385 + k] as number) * (b[j * 385 + k] as number);
      expect(found[i * 9 + j]).toBeCloseTo(sum, 3);
    }
  }
});
