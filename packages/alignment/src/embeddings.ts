/**
 * The fused vectors of all entities as files for other tools.
 */
import { join } from 'node:path';
import { makeFolder } from '@lab/core';
import { writeCsv } from '@lab/core/csv';
import type { HostMatrix } from '@lab/tensor';
import { writeNpy } from '@lab/tensor/io';
import { comparedRows } from './compared-rows.js';
import { hostPair } from './search/host-pair.js';
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

/** Bytes of an npy file; more rows go into further files. */
const FILE_BYTES = 2 ** 30;

/**
 * Writes the fused vectors of every entity, from the posterior means: `left.npy` and `right.npy`,
 * float32 `[n, D]` with rows of norm 1, and beside each `left.csv` and `right.csv` with the id and
 * the name of every row. The product of two rows is their cosine. Vectors of more than 1 GiB go
 * into `left-0000.npy`, `left-0001.npy` and so on, rows in the same order.
 *
 * @param dir - folder; made when it is not there.
 * @throws {DataError} when the folder cannot be made or written.
 */
export async function writeEmbeddings(
  dir: string,
  state: TrainingState,
  { fileBytes = FILE_BYTES }: { readonly fileBytes?: number } = {},
): Promise<EmbeddingFiles> {
  makeFolder(dir);
  const { left, right } = state.task.data;
  const encoding = state.learner.encode();
  const rows = await comparedRows(encoding, { left, right }, { random: null });
  encoding.dispose();
  try {
    const matrix = await hostPair(rows); // without noise there is one draw
    for (const side of ['left', 'right'] as const) {
      await writeVectors(join(dir, side), matrix[side], fileBytes);
      await writeNames(join(dir, `${side}.csv`), state.task.data[side], state);
    }
    const dimension = matrix.left.columnCount;
    return { dir, dimension, leftCount: left.length, rightCount: right.length };
  } finally {
    rows.dispose();
  }
}

/** One file, or numbered ones. */
async function writeVectors(
  path: string,
  { rowCount, columnCount, values }: HostMatrix,
  fileBytes: number,
): Promise<void> {
  const rowsPerFile = Math.max(1, Math.floor(fileBytes / 4 / columnCount));
  const isOne = rowCount <= rowsPerFile;
  for (let start = 0, file = 0; start < Math.max(1, rowCount); start += rowsPerFile, file += 1) {
    const data = values.subarray(start * columnCount, (start + rowsPerFile) * columnCount);
    const number = isOne ? '' : `-${String(file).padStart(4, '0')}`;
    await writeNpy(`${path}${number}.npy`, {
      shape: [data.length / columnCount, columnCount],
      data,
    });
  }
}

/** Ids and names of the rows, in their order. */
async function writeNames(path: string, entities: Int32Array, { task }: TrainingState) {
  const { entityIds, entityNames } = task.data;
  const lines = Array.from(entities, (entity, row) => [
    row,
    entityIds[entity]!,
    entityNames[entity]!,
  ]);
  await writeCsv(path, ['row', 'id', 'name'], lines);
}
