import { ShapeError } from '@lab/core';
import { activeKernels } from '../active-kernels.js';
import { tf } from '../tfjs.js';
import { infoNce, type InfoNceOptions, labelsOf } from './info-nce.js';
import { joinSides } from './joined-rows.js';
import { jointGradient } from './joint-gradient.js';
import {
  multiSimilarity,
  type MultiSimilarityOptions,
  multiSimilarityTerm,
} from './multi-similarity.js';
import { kernelPairs } from './pair-kernel.js';
import type { PairedRows } from './pair-problem.js';
import { assertPairedRows, assertPositive, type BlockOptions } from './paired-rows.js';

/** Rows of one batch of pairs: several kinds, and how much each counts in the joined rows. */
export interface ModalRows {
  /** Per modality m, rows `[B, d_m]` of both sides, L2-normalised by the caller. */
  readonly modalities: readonly PairedRows[];
  /** Shares c `[B, M]` of both sides; squares of a row sum to 1, so that joined rows are unit. */
  readonly shares: PairedRows;
}

/** Settings of {@link modalContrast}. */
export interface ModalContrastOptions extends BlockOptions {
  /** Of the InfoNCE of every modality. */
  readonly infoNce: Pick<InfoNceOptions, 'temperature' | 'direction'>;
  /** Of the multi-similarity of the joined rows. */
  readonly multiSimilarity: Pick<MultiSimilarityOptions, 'alpha' | 'beta' | 'lambda'>;
  /** Weight of the multi-similarity in the total; default 1. */
  readonly jointWeight?: number;
}

/** The total with its gradient, and the terms before their weights, without one. */
export interface ModalContrast {
  readonly total: tf.Scalar;
  readonly infoNce: readonly tf.Scalar[];
  readonly multiSimilarity: tf.Scalar;
}

/**
 * InfoNCE of every modality and multi-similarity of the joined rows, as one loss.
 *
 * `L = sum_m InfoNCE(a_m, b_m) + w MultiSimilarity(u, v)` with `u_i = [ c_im a_im ]_m`, likewise v.
 * Similarities of joined rows are `u_i . v_j = sum_m c_im c'_jm (a_im . b_jm)`, so the products
 * of left with right rows are made once for both terms, and so are the gradients that flow back
 * through them: a third less arithmetic than {@link infoNce} and {@link multiSimilarity} apart.
 * Source: the identity is elementary; the losses are IBMEA's, see there.
 *
 * On backends without our kernels the two losses are composed.
 *
 * @param rows - at least one modality, and shares.
 * @returns scalars in nats; gradients by rows and shares.
 * @throws {ShapeError} when shapes differ or are empty.
 * @throws {ConfigError} when a setting is out of its range.
 */
export function modalContrast(rows: ModalRows, options: ModalContrastOptions): ModalContrast {
  assertModalRows(rows);
  const { infoNce: contrast, multiSimilarity: joint, jointWeight = 1, ...blocks } = options;
  assertPositive(contrast.temperature, 'temperature', 'tensor/modalContrast');
  const term = multiSimilarityTerm(joint, 'tensor/modalContrast');
  const kernels = activeKernels();
  if (kernels === null) return composed(rows, options);
  const { modalities, shares } = rows;
  const { temperature, direction } = contrast;
  const labels = labelsOf(shares.left.shape[0], undefined);
  const problem = {
    ...{ parts: modalities, shares, blocks, symmetric: { ...term, weight: jointWeight } },
    softmax: { temperature, bothDirections: direction === 'both', labels, weight: 1 },
  };
  let values: { softmax: number[]; symmetric: number } = { softmax: [], symmetric: 0 };
  const inputs = [...modalities, shares].flatMap(({ left, right }) => [left, right]);
  const total = jointGradient(inputs, (wantGradients) => {
    const found = kernelPairs(kernels, { ...problem, wantGradients });
    values = found;
    const sum = found.softmax.reduce((part, value) => part + value, 0);
    const pairs = found.shares === null ? found.parts : [...found.parts, found.shares];
    const gradients = pairs.flatMap(({ left, right }) => [left, right]);
    return { value: tf.scalar(sum + jointWeight * found.symmetric), gradients };
  });
  const scalars = values.softmax.map((value) => tf.scalar(value));
  return { total, infoNce: scalars, multiSimilarity: tf.scalar(values.symmetric) };
}

function composed(rows: ModalRows, options: ModalContrastOptions): ModalContrast {
  const { infoNce: contrast, multiSimilarity: joint, jointWeight = 1, ...blocks } = options;
  const terms = rows.modalities.map(({ left, right }) =>
    infoNce(left, right, { ...contrast, ...blocks }),
  );
  const { left, right } = joinSides(rows.modalities, rows.shares);
  const hybrid = multiSimilarity(left, right, { ...joint, ...blocks });
  const total = tf.addN([...terms, tf.mul(hybrid, jointWeight)]) as tf.Scalar;
  return { total, infoNce: terms, multiSimilarity: hybrid };
}

function assertModalRows({ modalities, shares }: ModalRows): void {
  assertPairedRows(shares.left, shares.right, 'tensor/modalContrast, shares');
  for (const { left, right } of modalities) assertPairedRows(left, right, 'tensor/modalContrast');
  const [count, width] = shares.left.shape;
  const other = modalities.find(({ left }) => left.shape[0] !== count);
  if (other === undefined && width === modalities.length) return;
  const got = modalities.map(({ left }) => `[${left.shape}]`).join(' ');
  throw new ShapeError(
    `tensor/modalContrast: shares are [${count},${width}] for modalities ${got || '(none)'}; ` +
      'pass one column of shares for every modality, and as many rows everywhere.',
    { expected: `[${count}, ${modalities.length}]`, got: `[${count},${width}]` },
  );
}
