import { type CsrTensors, csrMatMul, tf } from '@lab/tensor';

/**
 * Graph convolution: `[N, O]`, `out = A (x W) + b` with A the values of `csr`, e.g. from
 * `normalizeAdjacency`; no activation.
 *
 * Source: Kipf & Welling, "Semi-supervised classification with graph convolutional networks",
 * ICLR 2017, eq. (2).
 *
 * @param x - features `[N, I]`.
 * @param layer - weight `[I, O]`, or `[I]` for a diagonal one; bias `[O]` optional.
 * @param csr - weighted pattern `[N, N]`.
 */
export function graphConvolution(
  x: tf.Tensor2D,
  layer: { readonly weight: tf.Tensor1D | tf.Tensor2D; readonly bias?: tf.Tensor1D },
  csr: CsrTensors,
): tf.Tensor2D {
  return tf.tidy(() => {
    const { weight, bias } = layer;
    const isDiagonal = weight.rank === 1;
    const product = isDiagonal ? tf.mul(x, weight) : tf.matMul(x, weight as tf.Tensor2D);
    const mixed = csrMatMul(csr, product as tf.Tensor2D); // [N, O]
    return bias === undefined ? mixed : (tf.add(mixed, bias) as tf.Tensor2D);
  });
}
