import { BackendError } from '@lab/core';
import { afterAll, expect, test } from 'vitest';
import { ids } from './__fixtures__/numbers.js';
import { memoryReport, resetAllocationRecord, selectBackend, tf } from './index.js';
import { selfTest } from './self-test.js';

afterAll(async () => {
  await selectBackend('wasm');
});

test('auto says what it chose, why, and what it passed over', async () => {
  const lines: string[] = [];
  const logger = { info: (line: string) => lines.push(line), warn() {}, debug() {} };
  const report = await selectBackend('auto', { logger });
  expect(report.reason).toContain('first in the order');
  expect(lines.join()).toContain(report.name);
  for (const { why } of report.tried) expect(why.length).toBeGreaterThan(10);
});

test('wasm reports its instruction set and its limit', async () => {
  const report = await selectBackend('wasm', { threads: 1 });
  expect(report).toMatchObject({ name: 'wasm', threads: 1, memoryLimitBytes: 2 ** 32, tried: [] });
  expect(['relaxed', 'plain']).toContain(report.simd);
  expect(tf.getBackend()).toBe('wasm');
});

test.each(['webgpu', 'tensorflow-gpu', 'tensorflow'] as const)(
  'a missing %s says what to install',
  async (name) => {
    const error = await selectBackend(name).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    if (error === undefined) return; // the peer is installed on this machine
    expect(BackendError.is(error)).toBe(true);
    expect((error as BackendError).help).toMatch(/npm install|lab-tensor setup|driver|backend/);
  },
);

test('an unknown backend is refused with the names there are', async () => {
  await expect(selectBackend('cuda' as 'wasm')).rejects.toThrow(/no backend "cuda"/);
});

test('the self-test refuses a backend that multiplies wrongly', async () => {
  await selectBackend('cpu');
  const stock = tf.getKernel('BatchMatMul', 'cpu');
  const wrong = {
    ...stock,
    kernelFunc: ((args) => {
      const { backend } = args as unknown as {
        backend: { makeTensorInfo: (...a: unknown[]) => tf.TensorInfo };
      };
      return backend.makeTensorInfo([2, 2], 'float32', new Float32Array(4));
    }) as tf.KernelFunc,
  };
  tf.unregisterKernel('BatchMatMul', 'cpu');
  tf.registerKernel(wrong);
  try {
    await expect(selfTest('cpu')).rejects.toThrow(/right is \[7, 10, 16, 22\]/);
  } finally {
    tf.unregisterKernel('BatchMatMul', 'cpu');
    tf.registerKernel(stock);
  }
});

test('the memory report follows tensors and buffers', async () => {
  await selectBackend('wasm');
  resetAllocationRecord();
  const before = memoryReport();
  const x = tf.zeros([1000, 250]);
  const during = memoryReport();
  expect(during.tensorCount - before.tensorCount).toBe(1);
  expect(during.tensorBytes - before.tensorBytes).toBe(1_000_000);
  expect(during.largestAllocationBytes).toBe(1_000_000);
  expect(
    (during.peakHeapBytes as number) - (before.peakHeapBytes as number),
  ).toBeGreaterThanOrEqual(1_000_000);
  x.dispose();
  expect(memoryReport().tensorCount).toBe(before.tensorCount);
});

test('what cannot fit is an error with sizes, and the heap stays usable', async () => {
  await selectBackend('wasm');
  const seed = tf.zeros([1, 1]);
  const before = tf.memory().numTensors;
  expect(() => tf.tile(seed, [60_000, 30_000])).toThrow(/wasm heap cannot hold another 7.2 GB/);
  expect(() => tf.tile(seed, [30_000, 20_000])).toThrow(BackendError);
  expect(tf.memory().numTensors).toBe(before);
  expect([...(await tf.gather(tf.tensor1d([5, 6]), ids([1])).data())]).toEqual([6]);
});

test('the heap does not grow over equal steps', async () => {
  await selectBackend('wasm');
  const w = tf.randomNormal([64, 64]) as tf.Tensor2D;
  const step = () =>
    tf.tidy(() => void tf.grad((t) => tf.sum(tf.elu(tf.matMul(t, t, false, true))))(w));
  step();
  resetAllocationRecord();
  step();
  const { peakHeapBytes, heapBytes, tensorCount } = memoryReport();
  for (let i = 0; i < 50; i++) step();
  expect(memoryReport()).toMatchObject({ peakHeapBytes, heapBytes, tensorCount });
});

test('a peer that is not there is told from one that does not load', async () => {
  const { tried } = await selectBackend('auto');
  for (const { name, why } of tried) {
    if (name !== 'tensorflow-gpu') continue; // no registry entry of it loads without a GPU
    expect(why).toMatch(/needs @tensorflow\/tfjs-node-gpu|does not load here|lists no GPU/);
  }
});
