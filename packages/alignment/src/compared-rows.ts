/**
 * Rows of all entities that are compared, wherever they fit.
 */
import type { Random } from '@lab/core';
import { HostRows, tf } from '@lab/tensor';
import type { Encoding, EntitySides } from './learner.js';
import { pairProduct } from './search/host-pair.js';

/** L2-normalised rows of both sides: a tensor per draw, or one array in the host's memory. */
export interface ComparedRows {
  readonly left: tf.Tensor2D[] | HostRows;
  readonly right: tf.Tensor2D[] | HostRows;
  dispose(): void;
}

/** What {@link comparedRows} reads beside the entities. */
export interface ComparedOptions {
  /** Stream of the model's noise; null takes the rows without any. */
  readonly random: Random | null;
  readonly signal?: AbortSignal | undefined;
}

/** Rows of many entities: in the host's memory where the model says that they would not fit. */
export async function comparedRows(
  encoding: Encoding,
  sides: EntitySides,
  { random, signal }: ComparedOptions,
): Promise<ComparedRows> {
  if (encoding.embedHost === undefined) return encoding.embed(sides, random);
  const rows = await encoding.embedHost(sides, { signal });
  return { ...rows, dispose: () => {} };
}

/** Products of the rows at the same place, of the first draw, `[n]`. */
export async function rowProducts({ left, right }: ComparedRows): Promise<Float32Array> {
  if (left instanceof HostRows && right instanceof HostRows) {
    const product = (_: unknown, row: number) => pairProduct({ left, right }, row, row);
    return Float32Array.from({ length: left.rowCount }, product);
  }
  const [own, other] = [left, right].map((draws) => (draws as tf.Tensor2D[])[0]!);
  const products = tf.tidy(() => tf.sum(tf.mul(own!, other!), 1));
  const values = (await products.data()) as Float32Array;
  products.dispose();
  return values;
}
