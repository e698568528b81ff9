import { LabError } from '@lab/core';
import { tf } from '../tfjs.js';

function disposeResult(result: unknown): void {
  tf.dispose(result as tf.TensorContainer);
}

/**
 * What `body` throws, or undefined; its result is disposed of.
 *
 * Fails when tensors are left over that were not there before, on success as on error.
 *
 * @param body - creates, uses and returns tensors; may be asynchronous.
 * @throws {LabError} with the number of tensors leaked.
 */
export async function expectNoLeak(body: () => unknown): Promise<unknown> {
  const before = tf.memory().numTensors;
  let thrown: unknown;
  try {
    disposeResult(await body());
  } catch (error) {
    thrown = error;
  }
  const leaked = tf.memory().numTensors - before;
  if (leaked !== 0) {
    throw new LabError(
      `tensor: ${leaked} tensors are left over (${before} before, ${before + leaked} after).`,
      { code: 'LAB_LEAK', details: { leaked }, cause: thrown },
    );
  }
  return thrown;
}
