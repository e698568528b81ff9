import { BackendError } from '@lab/core';
import { tf } from './tfjs.js';

async function expectValues(what: string, x: tf.Tensor, expected: readonly number[]) {
  const values = await x.data();
  x.dispose();
  const isEqual = expected.every((value, i) => Math.abs((values[i] as number) - value) < 1e-3);
  if (isEqual) return;
  throw new BackendError(
    `tensor: the backend computes ${what} as [${[...values].join(', ')}], ` +
      `right is [${expected.join(', ')}].`,
    { help: 'Choose another backend; this one is broken on this machine.' },
  );
}

/**
 * Nothing when the present backend computes a product and a gather gradient rightly.
 *
 * @param name - backend name for the message.
 * @throws {BackendError} with the values when one is wrong, or with the cause when one fails.
 */
export async function selfTest(name: string): Promise<void> {
  try {
    const product = tf.tidy(() =>
      tf.matMul(
        tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]),
        tf.tensor2d([1, 0, 2, 1, 0, 3], [2, 3]),
        false,
        true,
      ),
    );
    await expectValues('a product', product, [7, 10, 16, 22]);
    const gradient = tf.tidy(() => {
      const indices = tf.tensor1d([2, 0, 2], 'int32');
      return tf.grad((x) => tf.sum(tf.square(tf.gather(x, indices))))(
        tf.tensor2d([1, 2, 3], [3, 1]),
      );
    });
    await expectValues('a gather gradient', gradient, [2, 0, 12]);
  } catch (cause) {
    if (BackendError.is(cause)) throw cause;
    throw new BackendError(`tensor: the backend ${name} fails its self-test.`, { cause });
  }
}
