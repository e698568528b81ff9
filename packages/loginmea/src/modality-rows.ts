/**
 * Vectors of one modality: one for each entity, or one for each distinct row of its features.
 */
import { assertShape, type CsrTensors, csrMatMul, gatherRows, tf } from '@lab/tensor';
import type { EncoderParameters } from './encoders.js';

/** Distinct vectors, and which of them each entity has. */
export interface SpreadRows {
  /** `[U, D]`. */
  readonly rows: tf.Tensor2D;
  /** `[N, U]`: row i has one entry, in the column of entity i's vector. */
  readonly spread: CsrTensors;
  /** What the vectors were made of, `x W + b`: for who goes on from there. */
  readonly source?: EncodedFeatures;
}

/** Sparse features and their encoder. */
export interface EncodedFeatures {
  /** `[U, F]`. */
  readonly features: CsrTensors;
  readonly encoder: EncoderParameters;
}

/** z_m of all entities: `[N, D]`, or distinct ones. */
export type ModalityRows = SpreadRows | tf.Tensor2D;

/** Whether equal vectors stand once. */
export function isSpread(rows: ModalityRows): rows is SpreadRows {
  return !(rows instanceof tf.Tensor);
}

/** N. */
export function entityCountOf(rows: ModalityRows): number {
  return isSpread(rows) ? rows.spread.rowCount : rows.shape[0];
}

/** The same vectors after a function of single rows. */
export function mapRows(rows: ModalityRows, f: (x: tf.Tensor2D) => tf.Tensor2D): ModalityRows {
  return isSpread(rows) ? { rows: f(rows.rows), spread: rows.spread } : f(rows);
}

/** One vector for each entity, `[N, D]`; a tensor as it is. */
export function rowsOfEntities(rows: ModalityRows): tf.Tensor2D {
  return isSpread(rows) ? csrMatMul(rows.spread, rows.rows) : rows;
}

/** The vectors of some entities, `[C, D]`; entities int32 `[C]`. */
export function rowsAt(rows: ModalityRows, entities: tf.Tensor1D): tf.Tensor2D {
  if (!isSpread(rows)) return gatherRows(rows, entities);
  return gatherRows(rows.rows, tf.gather(rows.spread.columns, entities));
}

/** Each entity's vector times its weight, `[N, D]`; weights `[N, 1]`. */
export function weightedRowsOf(rows: ModalityRows, weights: tf.Tensor2D): tf.Tensor2D {
  if (!isSpread(rows)) return tf.mul(rows, weights);
  return csrMatMul(rows.spread, rows.rows, tf.reshape(weights, [-1]) as tf.Tensor1D);
}

/**
 * Checks the shape of the vectors of one modality.
 *
 * @param sizes - N, D and others known so far.
 * @returns the sizes with N and D.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function assertModalityRows(
  rows: ModalityRows,
  name: string,
  sizes: Record<string, number> = {},
): Record<string, number> {
  if (!isSpread(rows)) return assertShape(rows, 'N D', name, sizes);
  const known = assertShape(rows.rows, `${rows.spread.columnCount} D`, name, sizes);
  return assertShape(rows.spread.columns, 'N', `the spread of ${name}`, known);
}
