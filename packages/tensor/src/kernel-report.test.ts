import { beforeEach, expect, test } from 'vitest';
import { kernelReport, resetKernelReport, selectBackend, tf } from './index.js';

beforeEach(async () => {
  await selectBackend('wasm');
  resetKernelReport();
});

const useOf = (name: string) => kernelReport().find(({ kernel }) => kernel === name);

test('kernels of ours are told from stock ones, run by run', () => {
  tf.tidy(() => {
    const x = tf.ones([2, 2]);
    tf.matMul(x, x);
    tf.matMul(x, x, false, true);
    tf.cos(x);
  });
  expect(useOf('BatchMatMul')).toEqual({ kernel: 'BatchMatMul', ours: 2, stock: 0 });
  expect(useOf('Cos')).toEqual({ kernel: 'Cos', ours: 0, stock: 1 });
  expect(useOf('Tan')).toBeUndefined();
});

test('inputs that our kernel does not take run on the stock one, counted there', async () => {
  const cut = tf.tidy(() => tf.slice(tf.reshape(tf.range(0, 24, 1), [4, 6]), [1, 2], [2, 2]));
  expect([...(await cut.data())]).toEqual([8, 9, 14, 15]);
  cut.dispose();
  expect(useOf('Slice')).toEqual({ kernel: 'Slice', ours: 0, stock: 1 });
});

test('the report is sorted, and empty after a reset', () => {
  tf.tidy(() => void tf.cos(tf.exp(tf.ones([2]))));
  const names = kernelReport().map(({ kernel }) => kernel);
  expect(names).toEqual(names.toSorted());
  expect(names.length).toBeGreaterThan(1);
  resetKernelReport();
  expect(kernelReport()).toEqual([]);
});
