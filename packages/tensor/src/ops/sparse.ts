import { hasKernel, runSingle } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import type { CsrTensors } from './csr.js';

export { type CsrArrays, type CsrTensors, createCsr } from './csr.js';

/** The product from stock ops; it holds an `[E, D]` tensor. */
function composedProduct(
  csr: CsrTensors,
  dense: tf.Tensor2D,
  values: tf.Tensor1D | null,
): tf.Tensor2D {
  return tf.tidy(() => {
    const gathered = tf.gather(dense, csr.columns); // [E, D]
    const weighted = values === null ? gathered : tf.mul(gathered, tf.reshape(values, [-1, 1]));
    return tf.unsortedSegmentSum(weighted, csr.rows, csr.rowCount) as tf.Tensor2D;
  });
}

/**
 * Sparse matrix times dense matrix: `y_i = sum_(e in row i) v_e x_(column_e)`; zeros for an empty
 * row.
 *
 * Gradients: `dx = A^T dy` over the transposed pattern, and, when `values` is an argument,
 * `dv_e = dy_(row_e) . x_(column_e)`. No `[E, D]` tensor is made on wasm.
 *
 * @param csr - the matrix A, `[R, C]` with E entries.
 * @param dense - x, `[C, D]`.
 * @param values - v, `[E]` in the order of the entries; default the matrix's own values, or 1.
 * @returns `[R, D]`.
 * @throws {ShapeError} when shapes disagree.
 */
export function csrMatMul(csr: CsrTensors, dense: tf.Tensor2D, values?: tf.Tensor1D): tf.Tensor2D {
  assertShape(dense, `${csr.columnCount} D`, 'dense');
  assertDtype(dense, 'float32', 'dense');
  const weights = values ?? csr.values;
  if (weights !== null) {
    assertShape(weights, String(csr.entryCount), 'values');
    assertDtype(weights, 'float32', 'values');
  }
  if (!hasKernel('LabCsrMatMul')) return composedProduct(csr, dense, weights);
  return weights === null
    ? runSingle('LabCsrMatMul', { dense }, { csr })
    : runSingle('LabCsrMatMulWeighted', { dense, values: weights }, { csr });
}
