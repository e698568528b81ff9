import { HostRows, selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { rowProducts } from '../compared-rows.js';
import { hostPair, pairProduct } from './host-pair.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('pairProduct', () => {
  it('is the mean over the draws of tensors', async () => {
    const left = [tf.tensor2d([1, 0, 0, 1], [2, 2]), tf.tensor2d([0.6, 0.8, 1, 0], [2, 2])];
    const right = [tf.tensor2d([0, 1], [1, 2]), tf.tensor2d([0.8, 0.6], [1, 2])];
    const pair = await hostPair({ left, right });
    expect(pairProduct(pair, 0, 0)).toBeCloseTo((0 + 0.96) / 2, 6);
    expect(pairProduct(pair, 1, 0)).toBeCloseTo((1 + 0.8) / 2, 6);
    tf.dispose([left, right]);
  });

  it('is that of rows at the same place', async () => {
    const left = new HostRows(2, 2, Float32Array.of(1, 0, 0.6, 0.8));
    const right = new HostRows(2, 2, Float32Array.of(0.8, 0.6, 0, 1));
    const products = await rowProducts({ left, right, dispose: () => {} });
    const pair = { left, right };
    expect([...products]).toEqual([0, 1].map((row) => Math.fround(pairProduct(pair, row, row))));
    expect(products[1]).toBeCloseTo(0.8, 6);
  });
});
