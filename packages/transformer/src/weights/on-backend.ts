/**
 * Stored weights, in whatever objects they lie, as tensors in the same objects.
 */
import { type HalfMatrix, tf } from '@lab/tensor';
import type { StoredMatrix } from './stored-numbers.js';
import { matrixOnBackend, type ReadMatrix, type WeightMatrix } from './weight-matrix.js';

/** The same objects with rows and matrices on the backend. */
export type OnBackend<T> = T extends Float32Array
  ? tf.Tensor1D
  : T extends ReadMatrix
    ? WeightMatrix
    : T extends object
      ? { readonly [K in keyof T]: OnBackend<T[K]> }
      : T;

/** Brings weights onto the backend; where that fails, none stays there. */
export function onBackend<T>(stored: T): OnBackend<T> {
  const made: { dispose(): void }[] = [];
  const kept = <U extends { dispose(): void }>(one: U): U => {
    made.push(one);
    return one;
  };
  const place = (value: unknown): unknown => {
    if (value instanceof Float32Array) return kept(tf.keep(tf.tensor1d(value)));
    if (typeof value !== 'object' || value === null) return value;
    if (isPlaced(value)) return value;
    if ('columns' in value) return kept(matrixOnBackend(value as StoredMatrix));
    if (Array.isArray(value)) return value.map(place);
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, place(one)]));
  };
  try {
    return place(stored) as OnBackend<T>;
  } catch (error) {
    for (const one of made) one.dispose();
    disposeRead(stored);
    throw error;
  }
}

const isPlaced = (value: object): value is HalfMatrix => 'columns' in value && 'dispose' in value;

/** Frees what of read weights is on the backend already. */
export function disposeRead(read: unknown): void {
  if (typeof read !== 'object' || read === null || ArrayBuffer.isView(read)) return;
  if (isPlaced(read)) read.dispose();
  else for (const one of Object.values(read)) disposeRead(one);
}

/** Frees all tensors in objects of weights. */
export function disposeWeights(weights: object): void {
  tf.dispose(weights as tf.TensorContainer);
}
