import { ShapeError } from '@lab/core';
import { hasKernel, runSingle } from '../engine.js';
import { assertDtype } from '../shape.js';
import { tf } from '../tfjs.js';
import { bitsAt, mixBits } from './hash.js';

function checkRate(rate: number): void {
  if (rate >= 0 && rate < 1) return;
  throw new ShapeError(`tensor: the dropout rate is ${rate}, expected 0 <= rate < 1.`, {
    expected: '0 <= rate < 1',
    got: String(rate),
  });
}

/** Hash values at or above this are kept: the share `1 - rate` of all. */
export function dropoutThreshold(rate: number): number {
  return Math.floor(rate * 2 ** 32);
}

/** The mask that every backend uses: 0 where dropped, `1 / (1 - rate)` where kept. */
function hashMask(size: number, rate: number, seed32: number): Float32Array {
  const threshold = dropoutThreshold(rate);
  const scale = 1 / (1 - rate);
  const key = mixBits(seed32);
  const mask = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    if (bitsAt(i, key, seed32) >= threshold) mask[i] = scale;
  }
  return mask;
}

/**
 * Inverted dropout: each element is 0 with probability `rate`, else `x / (1 - rate)`.
 *
 * Element i is dropped when `hash(seed32, i) < rate * 2^32`, so the mask is a function of the seed
 * alone, equal on every backend; on wasm it is computed again in the backward pass, not kept.
 *
 * @param x - any shape, float32.
 * @param rate - share dropped, `0 <= rate < 1`; 0 gives `x` unchanged.
 * @param seed32 - 32-bit integer; take a new one for every step and place.
 * @throws {ShapeError} for a rate out of range.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, seed32: number): T {
  checkRate(rate);
  assertDtype(x, 'float32', 'x');
  if (rate === 0) return x.clone();
  if (hasKernel('LabDropout')) return runSingle<T>('LabDropout', { x }, { rate, seed32 });
  return tf.tidy(() => tf.mul<T>(x, tf.tensor(hashMask(x.size, rate, seed32), x.shape)));
}

/**
 * Inverted dropout with a given mask: `x * mask / (1 - rate)`.
 *
 * @param x - any shape.
 * @param mask - 1 where kept and 0 where dropped, the shape of `x`.
 * @param rate - share dropped, `0 <= rate < 1`.
 * @throws {ShapeError} when the shapes differ or the rate is out of range.
 */
export function maskedDropout<T extends tf.Tensor>(x: T, mask: tf.Tensor, rate: number): T {
  checkRate(rate);
  if (!tf.util.arraysEqual(x.shape, mask.shape)) {
    throw new ShapeError(`tensor: the mask has shape [${mask.shape}], x has [${x.shape}].`, {
      expected: `[${x.shape}]`,
      got: `[${mask.shape}]`,
    });
  }
  return tf.tidy(() => tf.mul<T>(x, tf.mul(mask, 1 / (1 - rate))));
}
