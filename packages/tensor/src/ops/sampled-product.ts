import { hasKernel, runSingle } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import type { CsrTensors } from './csr.js';
import { csrMatMul } from './sparse.js';

/** The dot products from stock ops; it holds `[E, D]` tensors. */
function composedProduct(csr: CsrTensors, left: tf.Tensor2D, right: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const [x, y] = [tf.gather(left, csr.rows), tf.gather(right, csr.columns)]; // [E, D]
    return tf.sum(tf.mul(x, y), 1) as tf.Tensor1D;
  });
}

/**
 * Product of two dense matrices at the entries of a sparse pattern only (SDDMM):
 * `s_e = x_(row_e) . y_(column_e)`.
 *
 * Gradients: `dx = S y` and `dy = S^T x`, with S the pattern that has `ds` for values. No `[E, D]`
 * tensor is made on wasm.
 *
 * @param csr - the pattern, `[R, C]` with E entries; its own values are ignored.
 * @param left - x, `[R, D]`.
 * @param right - y, `[C, D]`.
 * @returns `[E]`, in the order of the entries.
 * @throws {ShapeError} when shapes disagree.
 */
export function csrSampledProduct(
  csr: CsrTensors,
  left: tf.Tensor2D,
  right: tf.Tensor2D,
): tf.Tensor1D {
  const sizes = assertShape(left, `${csr.rowCount} D`, 'left');
  assertShape(right, `${csr.columnCount} D`, 'right', sizes);
  for (const [name, x] of Object.entries({ left, right })) assertDtype(x, 'float32', name);
  if (!hasKernel('LabCsrValueGradient')) return composedProduct(csr, left, right);
  const operation = tf.customGrad((...args: unknown[]) => {
    const [x, y, save] = args as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    save([x, y]);
    const gradFunc = (values: tf.Tensor, saved: tf.Tensor[]) => {
      const [keptLeft, keptRight] = saved as [tf.Tensor2D, tf.Tensor2D];
      const toRight = { dy: keptLeft, values };
      return [
        csrMatMul(csr, keptRight, values as tf.Tensor1D),
        runSingle('LabCsrTransposeWeighted', toRight, { csr }),
      ];
    };
    // s is what the gradient of A y by the values of A is for dy = x
    return { value: runSingle('LabCsrValueGradient', { dy: x, dense: y }, { csr }), gradFunc };
  });
  return operation(left, right) as tf.Tensor1D;
}
