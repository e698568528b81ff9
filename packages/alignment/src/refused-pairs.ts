/**
 * Pairs that somebody has refused: they are not proposed again.
 */
import { existsSync, readFileSync } from 'node:fs';
import { DataError } from '@lab/core';
import { type AlignmentData, readSeeds, writeSeeds } from '@lab/graph';
import type { CandidateTable } from './candidate-table.js';

type Entities = Pick<AlignmentData, 'entityIds' | 'entityNames' | 'sides' | 'keyedBy'>;

/** A number that names the pair; exact for fewer than 2^26 entities. */
export const pairKey = (left: number, right: number) => left * 0x4000000 + right;

/** The keys of interleaved pairs. */
export function pairKeys(pairs: Int32Array): Set<number> {
  const keys = new Set<number>();
  for (let at = 0; at < pairs.length; at += 2) keys.add(pairKey(pairs[at]!, pairs[at + 1]!));
  return keys;
}

/**
 * The pairs of a file of refused pairs, in the form of a seed file; an empty file holds none.
 *
 * @throws {DataError} when the file is missing or has a bad line.
 */
export async function readRefused(file: string, data: Entities): Promise<Int32Array> {
  if (!existsSync(file)) {
    throw new DataError(`missing file ${file} of refused pairs.`, {
      file,
      help: 'give the file that an earlier review wrote, or leave --refused out',
    });
  }
  if (readFileSync(file, 'utf8').trim() === '') return new Int32Array(0);
  return readSeeds(file, data);
}

/** Writes pairs so that {@link readRefused} reads them back. */
export function writeRefused(file: string, data: Entities, pairs: Int32Array): void {
  writeSeeds(file, data, pairs);
}

/** A table without some pairs: the candidates behind them move up. */
export function withoutPairs(table: CandidateTable, refused: Int32Array): CandidateTable {
  if (refused.length === 0) return table;
  const keys = pairKeys(refused);
  const { sources, targets, width } = table;
  const isRefused = (row: number, column: number) =>
    keys.has(pairKey(sources[row]!, targets[column]!));
  return {
    ...table,
    ...keptIn(table, width, isRefused),
    ...backwardWithout(table, (column, row) => isRefused(row, column)),
  };
}

/** The two best sources of each target that are left; an emptied place has no candidate. */
function backwardWithout(
  { backwardIndices, backwardScores }: CandidateTable,
  isRefused: (column: number, row: number) => boolean,
): Pick<CandidateTable, 'backwardIndices' | 'backwardScores'> {
  const { indices, scores } = keptIn(
    { indices: backwardIndices, scores: backwardScores },
    2,
    isRefused,
  );
  return { backwardIndices: indices, backwardScores: scores };
}

/** Rows of candidates without the refused ones, filled up with none. */
function keptIn(
  { indices, scores }: Pick<CandidateTable, 'indices' | 'scores'>,
  width: number,
  isRefused: (row: number, candidate: number) => boolean,
): Pick<CandidateTable, 'indices' | 'scores'> {
  const kept = {
    indices: new Int32Array(indices.length).fill(-1),
    scores: new Float32Array(scores.length).fill(Number.NEGATIVE_INFINITY),
  };
  for (let row = 0; row < indices.length / width; row += 1) {
    let place = row * width;
    for (let at = row * width; at < (row + 1) * width; at += 1) {
      if (indices[at]! < 0 || isRefused(row, indices[at]!)) continue;
      kept.indices[place] = indices[at]!;
      kept.scores[place] = scores[at]!;
      place += 1;
    }
  }
  return kept;
}
