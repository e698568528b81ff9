import { ConfigError, ShapeError } from '@lab/core';
import { tf } from '../tfjs.js';
import { activeKernels } from '../active-kernels.js';
import { composedInfoNce } from './info-nce-composed.js';
import { jointGradient } from './joint-gradient.js';
import { kernelPairs } from './pair-kernel.js';
import type { Labels } from './pair-problem.js';
import { assertPairedRows, assertPositive, type BlockOptions } from './paired-rows.js';

/** Targets other than "row b belongs to column b": K weighted columns for every row. */
export interface SoftLabels {
  /** Target columns of row b are `columns[b * K .. b * K + K - 1]`, each in 0..B-1. */
  columns: Int32Array;
  /** Their weights, same layout; usually non-negative with sum 1 in each row. */
  weights: Float32Array;
}

/** Settings of {@link infoNce}. */
export interface InfoNceOptions extends BlockOptions {
  /** Divides the similarities; above 0. */
  temperature: number;
  /** `left-to-right`: each left row looks for its right row; `both`: mean of both directions. */
  direction: 'left-to-right' | 'both';
  /** Soft identities; without them the target of row b is column b. */
  softLabels?: SoftLabels;
}

/**
 * InfoNCE of paired rows with in-batch negatives, averaged over the batch.
 *
 * `L = -(1/B) sum_b log( exp(l_b . r_b / t) / sum_c exp(l_b . r_c / t) )`; with soft labels Y
 * `L = -(1/B) sum_b sum_c Y_bc log softmax_c(l_b . r_c / t)`. Direction `both` is the mean of this
 * and of the same loss with the sides exchanged (Y transposed).
 * Source: sutaoyu/IBMEA, the contrastive loss of the modalities; equation not verified.
 * Deviation: direction `both` and soft labels are additions.
 *
 * The B x B logits are never held: rows are walked in blocks, and when the engine records, the
 * gradients are computed from the same blocks and only scaled in the backward pass.
 *
 * @param left - rows `[B, D]`, L2-normalised by the caller for cosine similarity.
 * @param right - counterparts `[B, D]`.
 * @returns scalar, nats, >= 0 for one-hot labels; 0 when B = 1.
 * @throws {ShapeError} when the shapes differ, are empty, or soft labels do not fit.
 * @throws {ConfigError} when the temperature is not above 0 or a label column is outside 0..B-1.
 */
export function infoNce(left: tf.Tensor2D, right: tf.Tensor2D, options: InfoNceOptions): tf.Scalar {
  assertPairedRows(left, right, 'tensor/infoNce');
  assertPositive(options.temperature, 'temperature', 'tensor/infoNce');
  const { softLabels, ...settings } = options;
  const labels = labelsOf(left.shape[0], softLabels);
  const { temperature, direction, ...blocks } = settings;
  const softmax = { temperature, bothDirections: direction === 'both', labels, weight: 1 };
  return jointGradient([left, right], (wantGradients) => {
    const kernels = activeKernels();
    if (kernels !== null) {
      const problem = { parts: [{ left, right }], softmax, symmetric: null, shares: null };
      const found = kernelPairs(kernels, { ...problem, blocks, wantGradients });
      const gradients = found.parts.flatMap((rows) => [rows.left, rows.right]);
      return { value: tf.scalar(found.softmax[0] ?? Number.NaN), gradients };
    }
    const blockRows = blocks.blockRows ?? rowsPerBlock(left.shape[0]);
    return composedInfoNce({ ...softmax, left, right, blockRows, wantGradients });
  });
}

/** Rows of logits that fit 32 MB, at most 1024. */
function rowsPerBlock(columnCount: number): number {
  return Math.max(1, Math.min(1024, Math.floor(2 ** 23 / columnCount)));
}

/** Checked labels; row b belongs to column b without soft ones. */
export function labelsOf(rowCount: number, soft: SoftLabels | undefined): Labels {
  const columns = soft?.columns ?? Int32Array.from({ length: rowCount }, (_, row) => row);
  const weights = soft?.weights ?? new Float32Array(rowCount).fill(1);
  const perRow = columns.length / rowCount;
  if (!Number.isInteger(perRow) || perRow < 1 || weights.length !== columns.length) {
    throw new ShapeError(
      `tensor/infoNce: soft labels have ${columns.length} columns and ${weights.length} weights ` +
        `for ${rowCount} rows; give the same number of columns and weights for every row.`,
      { expected: `a multiple of ${rowCount}`, got: `${columns.length} and ${weights.length}` },
    );
  }
  const rowSums = new Float32Array(rowCount);
  const columnSums = new Float32Array(rowCount);
  columns.forEach((column, index) => {
    if (column < 0 || column >= rowCount) {
      throw new ConfigError(
        `tensor/infoNce: soft label column ${column} of row ${Math.floor(index / perRow)} is ` +
          `outside 0..${rowCount - 1}; label columns count the rows of this batch.`,
      );
    }
    const row = Math.floor(index / perRow);
    rowSums[row] = (rowSums[row] ?? 0) + (weights[index] ?? 0);
    columnSums[column] = (columnSums[column] ?? 0) + (weights[index] ?? 0);
  });
  return { columns, weights, perRow, rowSums, columnSums };
}
