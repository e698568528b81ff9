/**
 * Weights in whatever objects they lie: brought onto the backend as float32, collected, replaced.
 */
import { type HalfMatrix, tf } from '@lab/tensor';
import type { OnBackend } from '../weights/on-backend.js';
import { floatsOf, type StoredMatrix } from '../weights/stored-numbers.js';
import { matrixFloats, type ReadMatrix } from '../weights/weight-matrix.js';

/** Takes over a tensor under its name, and gives what stands for it from then on. */
export type PlaceWeight = (name: string, tensor: tf.Tensor) => tf.Tensor;

const isHalf = (matrix: ReadMatrix): matrix is HalfMatrix => 'dispose' in matrix;

/** A matrix as it was read as float32 on the backend; one of 16 bits there is freed. */
export function floatMatrix(matrix: ReadMatrix): tf.Tensor2D {
  if (isHalf(matrix)) {
    const floats = matrixFloats(matrix);
    matrix.dispose();
    return floats;
  }
  const { rows, columns } = matrix;
  return tf.tensor2d(floatsOf(matrix), [rows, columns]);
}

/**
 * The same objects with tensors for rows and matrices.
 *
 * @param name - of the whole; a weight within is called by the fields on the way to it.
 */
export function placedWeights<T>(stored: T, name: string, place: PlaceWeight): OnBackend<T> {
  const placed = (value: unknown, own: string): unknown => {
    if (value instanceof Float32Array) return place(own, tf.tensor1d(value));
    if (typeof value !== 'object' || value === null) return value;
    if ('columns' in value) return place(own, floatMatrix(value as HalfMatrix | StoredMatrix));
    const fields = Object.entries(value);
    return Object.fromEntries(fields.map(([key, one]) => [key, placed(one, `${own}.${key}`)]));
  };
  return placed(stored, name) as OnBackend<T>;
}

/** All tensors in objects of weights, in the order of the fields. */
export function tensorsIn(weights: unknown): tf.Tensor[] {
  if (weights instanceof tf.Tensor) return [weights];
  if (typeof weights !== 'object' || weights === null) return [];
  return Object.values(weights).flatMap(tensorsIn);
}

/** Those of the tensors that are trained. */
export const trainedIn = (weights: unknown): tf.Tensor[] =>
  tensorsIn(weights).filter((tensor) => tensor instanceof tf.Variable);

/** The same objects with other tensors in the places of some. */
export function withTensors<T>(weights: T, others: ReadonlyMap<tf.Tensor, tf.Tensor>): T {
  const replaced = (value: unknown): unknown => {
    if (value instanceof tf.Tensor) return others.get(value) ?? value;
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value);
    return Object.fromEntries(fields.map(([key, one]) => [key, replaced(one)]));
  };
  return replaced(weights) as T;
}

/** The numbers of a tensor in memory of their own. */
export async function numbersOf(tensor: tf.Tensor): Promise<Float32Array> {
  return (await tensor.data<'float32'>()).slice();
}
