/**
 * The fused vectors of all entities as files for other tools.
 */
import { join } from 'node:path';
import { makeFolder } from '@lab/core';
import { writeCsv } from '@lab/core/csv';
import type { tf } from '@lab/tensor';
import { writeNpy } from '@lab/tensor/io';
import type { TrainingState } from './training-state.js';

/** What {@link writeEmbeddings} wrote. */
export interface EmbeddingFiles {
  readonly dir: string;
  /** Numbers of a vector. */
  readonly dimension: number;
  /** Entities of the first and of the second graph. */
  readonly leftCount: number;
  readonly rightCount: number;
}

/**
 * Writes the fused vectors of every entity, from the posterior means: `left.npy` and `right.npy`,
 * float32 `[n, D]` with rows of norm 1, and beside each `left.csv` and `right.csv` with the id and
 * the name of every row. The product of two rows is their cosine.
 *
 * @param dir - folder; made when it is not there.
 * @throws {DataError} when the folder cannot be made or written.
 */
export async function writeEmbeddings(dir: string, state: TrainingState): Promise<EmbeddingFiles> {
  makeFolder(dir);
  const { left, right } = state.task.data;
  const encoding = state.learner.encode();
  const rows = await encoding.embed({ left, right }, null);
  encoding.dispose();
  try {
    await writeSide(dir, 'left', { entities: left, rows: rows.left[0]!, state });
    await writeSide(dir, 'right', { entities: right, rows: rows.right[0]!, state });
    const dimension = rows.left[0]!.shape[1];
    return { dir, dimension, leftCount: left.length, rightCount: right.length };
  } finally {
    rows.dispose();
  }
}

/** Vectors and entities of one side; the row of an entity is the same in both files. */
async function writeSide(
  dir: string,
  side: 'left' | 'right',
  input: { entities: Int32Array; rows: tf.Tensor2D; state: TrainingState },
): Promise<void> {
  const { entities, rows, state } = input;
  const { entityIds, entityNames } = state.task.data;
  const data = (await rows.data()) as Float32Array;
  await writeNpy(join(dir, `${side}.npy`), { shape: rows.shape, data });
  const lines = Array.from(entities, (entity, row) => [
    row,
    entityIds[entity]!,
    entityNames[entity]!,
  ]);
  await writeCsv(join(dir, `${side}.csv`), ['row', 'id', 'name'], lines);
}
