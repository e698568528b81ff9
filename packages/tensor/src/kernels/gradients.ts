import { tf } from '../tfjs.js';

let isInstalled = false;

/** Rows of `dy` by segment id; rows with a negative id get zeros. */
function gatherSegments(dy: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const rows = tf.gather(dy, tf.cast(tf.maximum(ids, 0), 'int32'));
    const present = tf.cast(tf.greaterEqual(ids, 0), 'float32');
    const shape = [...ids.shape, ...rows.shape.slice(ids.rank).map(() => 1)];
    return tf.mul(rows, tf.reshape(present, shape));
  });
}

/**
 * Replaces the gradient of `tf.unsortedSegmentSum` by a gather, on every backend, once.
 *
 * The stock gradient builds broadcast boolean masks and is some fifty times slower.
 */
export function installGradients(): void {
  if (isInstalled) return;
  isInstalled = true;
  tf.unregisterGradient(tf.UnsortedSegmentSum);
  tf.registerGradient({
    kernelName: tf.UnsortedSegmentSum,
    inputsToSave: ['segmentIds'],
    gradFunc: (dy, saved) => ({
      x: () => gatherSegments(dy as tf.Tensor, saved[0] as tf.Tensor),
    }),
  });
}
