import { ShapeError } from '@lab/core';
import type { tf } from './tfjs.js';

function mismatch(x: tf.TensorInfo, pattern: string, name: string, why: string): ShapeError {
  const got = `[${x.shape.join(', ')}]`;
  return new ShapeError(`tensor: ${name} has shape ${got}, expected [${pattern}]${why}.`, {
    expected: pattern,
    got,
    help: `Pass ${name} with the shape [${pattern}].`,
  });
}

/**
 * The sizes of the named dimensions of `x`.
 *
 * @param x - tensor to check.
 * @param pattern - one word per dimension: a letter names it, a number demands it, `*` takes any;
 *   `'N D'` is a matrix, `''` a scalar. A name used twice must have one size.
 * @param name - what the message calls the tensor; default `'x'`.
 * @param sizes - sizes already known; a name found here must agree.
 * @returns `sizes` and the names of the pattern.
 * @throws {ShapeError} when rank or a size differs.
 */
export function assertShape(
  x: tf.TensorInfo,
  pattern: string,
  name = 'x',
  sizes: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const words = pattern.split(' ').filter((word) => word !== '');
  if (words.length !== x.shape.length) throw mismatch(x, pattern, name, '');
  const found: Record<string, number> = { ...sizes };
  words.forEach((word, axis) => {
    const size = x.shape[axis] as number;
    if (word === '*') return;
    const wanted = /^\d+$/.test(word) ? Number(word) : (found[word] ?? size);
    if (wanted !== size) throw mismatch(x, pattern, name, ` with ${word} = ${wanted}`);
    if (!/^\d+$/.test(word)) found[word] = size;
  });
  return found;
}

/**
 * Nothing when `x` has the given type of numbers.
 *
 * @throws {ShapeError} naming both types.
 */
export function assertDtype(x: tf.TensorInfo, dtype: 'float32' | 'int32', name: string): void {
  if (x.dtype === dtype) return;
  throw new ShapeError(`tensor: ${name} has type ${x.dtype}, expected ${dtype}.`, {
    expected: dtype,
    got: x.dtype,
    help: `Pass tf.cast(${name}, '${dtype}'), or make the tensor with that type.`,
  });
}
