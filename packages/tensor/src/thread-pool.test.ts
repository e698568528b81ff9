import { createRandom } from '@lab/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from './backend.js';
import { createCsr, csrMatMul } from './ops/sparse.js';
import { activeKernels } from './active-kernels.js';
import { tf } from './tfjs.js';
import type { KernelModule } from './kernel-module.js';

const NODES = 3000;
const ENTRIES = 40_000;
const WIDTH = 60;
let kernels: KernelModule;

beforeAll(async () => {
  await selectBackend('wasm');
  kernels = activeKernels()!;
});
afterAll(() => kernels.useThreads(1));

/** A product that is cut into many blocks. */
async function product(): Promise<Buffer> {
  const random = createRandom(3);
  const rowPointers = new Int32Array(NODES + 1);
  for (let e = 0; e < ENTRIES; e += 1) rowPointers[1 + random.integer(NODES)]! += 1;
  for (let i = 0; i < NODES; i += 1) rowPointers[i + 1]! += rowPointers[i]!;
  const columns = Int32Array.from({ length: ENTRIES }, () => random.integer(NODES));
  const csr = createCsr({ rowCount: NODES, columnCount: NODES, rowPointers, columns });
  const x = tf.tensor2d(random.fillNormal(new Float32Array(NODES * WIDTH)), [NODES, WIDTH]);
  const y = csrMatMul(csr, x);
  const values = (await y.data()) as Float32Array;
  tf.dispose([x, y]);
  csr.dispose();
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

describe('a pool of threads', () => {
  it('gives the same bits with any number of threads', async () => {
    kernels.useThreads(1);
    const alone = await product();
    for (const threads of [2, 3, 2, 5]) {
      kernels.useThreads(threads);
      expect(kernels.threads).toBe(threads);
      // The workers come up while the main thread works on: ask again until they take part.
      for (let round = 0; round < 5; round += 1) {
        expect((await product()).equals(alone)).toBe(true);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  });

  it('reports a kernel that a thread could not finish, and works on', async () => {
    kernels.useThreads(2);
    const expected = await product();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const outside = 2 ** 32 - 8;
    const work = { kernel: 'csr_product', count: 64, block: 1 };
    expect(() => kernels.callBlocks(work, 4, outside, outside, 0, outside, outside)).toThrow(
      'stopped amid its work',
    );
    expect((await product()).equals(expected)).toBe(true);
  });

  it('refuses a kernel that does not exist', () => {
    expect(() => kernels.callBlocks({ kernel: 'nothing', count: 1, block: 1 })).toThrow(
      'no kernel "nothing"',
    );
  });
});
