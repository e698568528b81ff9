import { ShapeError } from '@lab/core';
import { beforeAll, expect, test } from 'vitest';
import { assertShape, scope, selectBackend, tf } from './index.js';

beforeAll(async () => {
  await selectBackend('cpu');
});

test('scope keeps what is returned or kept, across an await', async () => {
  const before = tf.memory().numTensors;
  let kept: tf.Tensor | undefined;
  const result = await scope(async (keep) => {
    const a = tf.ones([2]);
    await Promise.resolve();
    kept = keep(tf.add(a, 1));
    return { sum: tf.add(a, kept), count: 3 };
  });
  expect(tf.memory().numTensors - before).toBe(2);
  expect([...(await result.sum.data())]).toEqual([3, 3]);
  tf.dispose([kept as tf.Tensor, result.sum]);
});

test('scope frees everything when its body throws', async () => {
  const before = tf.memory().numTensors;
  const run = scope(async () => {
    tf.ones([2]);
    await Promise.resolve();
    tf.ones([3]);
    throw new Error('stop');
  });
  await expect(run).rejects.toThrow('stop');
  expect(tf.memory().numTensors).toBe(before);
});

test('assertShape names sizes and says what differs', () => {
  const x = tf.zeros([3, 4]);
  expect(assertShape(x, 'N D')).toEqual({ N: 3, D: 4 });
  expect(assertShape(x, '3 *')).toEqual({});
  expect(assertShape(tf.scalar(1), '')).toEqual({});
  expect(() => assertShape(x, 'N N')).toThrow(ShapeError);
  expect(() => assertShape(x, 'N D', 'left', { D: 5 })).toThrow(/left has shape \[3, 4\].*D = 5/);
  expect(() => assertShape(x, 'N')).toThrow(ShapeError);
});
