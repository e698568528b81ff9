import { assertShape, tf } from '@lab/tensor';

/**
 * Features brought to mean 0 and variance 1 over the nodes of the graph, then scaled and shifted:
 * `[N, D]`.
 *
 * `y_nd = gain_d * (x_nd - mean_n(x_nd)) / sqrt(var_n(x_nd) + epsilon) + bias_d`, with the biased
 * variance over the N nodes.
 * Source: Ulyanov et al., "Instance normalization", 2016; the graph is the one instance.
 *
 * @param x - features `[N, D]`.
 * @param layer - gain and bias, `[D]`.
 * @param epsilon - added to the variance; default 1e-5.
 * @throws {ShapeError} when shapes disagree.
 */
export function instanceNorm(
  x: tf.Tensor2D,
  layer: { readonly gain: tf.Tensor1D; readonly bias: tf.Tensor1D },
  epsilon = 1e-5,
): tf.Tensor2D {
  const sizes = assertShape(x, 'N D');
  assertShape(layer.gain, 'D', 'gain', sizes);
  assertShape(layer.bias, 'D', 'bias', sizes);
  return tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x, 0, true)); // [N, D]
    const variance = tf.mean(tf.square(centred), 0, true); // [1, D]
    const slope = tf.div(layer.gain, tf.sqrt(tf.add(variance, epsilon))); // [1, D]
    return tf.add(tf.mul(centred, slope), layer.bias) as tf.Tensor2D;
  });
}
