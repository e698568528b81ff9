/** Tensors of the golden files, as inputs of our functions and as numbers to compare with. */
import type { SeedBatch } from '@lab/alignment';
import { join } from 'node:path';
import { createCsr, type CsrTensors, tf } from '@lab/tensor';
import { type ArrayRecord, readSafetensors } from '@lab/tensor/io';

export type Golden = Record<string, ArrayRecord>;

/** The tensors of one golden file. */
export async function readGolden(name: string): Promise<Golden> {
  return (await readSafetensors(join(import.meta.dirname, `${name}.safetensors`))).tensors;
}

/** One tensor, or an error that names it. */
export function arrayOf(golden: Golden, key: string): ArrayRecord {
  const array = golden[key];
  if (array === undefined) throw new Error(`the golden file has no tensor "${key}"`);
  return array;
}

/** The values of one tensor as plain numbers. */
export function numbersOf(golden: Golden, key: string): number[] {
  return Array.from(arrayOf(golden, key).data as ArrayLike<number>, Number);
}

/** The values of one tensor as int32. */
export function integersOf(golden: Golden, key: string): Int32Array {
  return Int32Array.from(numbersOf(golden, key));
}

/** One tensor as float32. */
export function tensorOf<T extends tf.Tensor>(golden: Golden, key: string): T {
  const values = Float32Array.from(numbersOf(golden, key));
  return tf.tensor(values, arrayOf(golden, key).shape, 'float32') as T;
}

/** One matrix as CSR with explicit values. */
export function sparseOf(golden: Golden, key: string): CsrTensors {
  const [rowCount, columnCount] = arrayOf(golden, key).shape as [number, number];
  const entries = numbersOf(golden, key)
    .map((value, at) => ({ value, row: Math.floor(at / columnCount), column: at % columnCount }))
    .filter(({ value }) => value !== 0);
  const rowPointers = new Int32Array(rowCount + 1);
  for (const { row } of entries) rowPointers[row + 1]! += 1;
  for (let row = 0; row < rowCount; row += 1) rowPointers[row + 1]! += rowPointers[row]!;
  return createCsr({
    rowCount,
    columnCount,
    rowPointers,
    columns: Int32Array.from(entries, ({ column }) => column),
    values: Float32Array.from(entries, ({ value }) => value),
  });
}

/** The seed batches of one of the first epochs. */
export function goldenBatches(problem: Golden, epoch: number): SeedBatch[] {
  const [, count] = arrayOf(problem, 'batches').shape as [number, number];
  const order = numbersOf(problem, 'batches').slice(epoch * count, (epoch + 1) * count);
  return cutBatches(numbersOf(problem, 'seeds'), order);
}

/** Rows of the seed list in the given order, cut into batches of 13. */
export function cutBatches(seeds: readonly number[], order: readonly number[]): SeedBatch[] {
  const size = 13;
  const batches: SeedBatch[] = [];
  for (let start = 0; start < order.length; start += size) {
    const rows = order.slice(start, start + size);
    batches.push({
      left: Int32Array.from(rows, (row) => seeds[2 * row]!),
      right: Int32Array.from(rows, (row) => seeds[2 * row + 1]!),
    });
  }
  return batches;
}
