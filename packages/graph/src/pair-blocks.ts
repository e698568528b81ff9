import { ConfigError } from '@lab/core';
import type { CsrArrays } from '@lab/tensor';
import { type CompactCsr, compactColumns, csrRange, csrRows, renumber } from './csr-rows.js';
import type { NeighbourhoodLayer } from './neighbourhood.js';
import type { RelationPairs } from './relation-pairs.js';

/** What a block of rows costs, in any unit; see {@link cutRows}. */
export interface BlockCost {
  readonly row: number;
  /** A distinct column that the rows of the block read. */
  readonly source: number;
  readonly entry: number;
  /** A distinct relation set of the pairs of the block; default 0. */
  readonly set?: number;
}

/** How rows are cut into blocks. */
export interface BlockLimit {
  readonly cost: BlockCost;
  /** Most that a block costs, but for a block of one row. */
  readonly most: number;
}

/** Rows `start .. end-1` of a matrix. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** A block of the pairs of a layer. */
export interface PairBlock extends RowRange {
  /** The rows of the state before the layer that the block reads, each once, `[C]`. */
  readonly sources: Int32Array;
  /** `neighbours` is `[end - start, C]`; `sets` and `averaging` number the sets of the block. */
  readonly pairs: RelationPairs;
}

/** A block of a sparse matrix, its columns numbered anew. */
export interface CsrBlock extends RowRange, CompactCsr {}

/** Counts what is distinct within the present block. */
class DistinctCounter {
  readonly #stamps: Int32Array;
  #block = 1;
  count = 0;

  constructor(valueCount: number) {
    this.#stamps = new Int32Array(valueCount);
  }

  add(value: number): void {
    if (this.#stamps[value] === this.#block) return;
    this.#stamps[value] = this.#block;
    this.count += 1;
  }

  startBlock(): void {
    this.#block += 1;
    this.count = 0;
  }
}

/**
 * Cuts the rows of a sparse matrix into blocks of consecutive rows, each as long as its cost
 * allows; linear in the entries.
 *
 * @param matrix - `[R, C]`.
 * @param limit - costs and the most that a block may cost.
 * @param sets - relation set of each entry and the number of sets; default none.
 * @throws {ConfigError} when the limit is not above 0.
 */
export function cutRows(
  matrix: CsrArrays,
  { cost, most }: BlockLimit,
  sets: { readonly numbers: Int32Array; readonly count: number } | null = null,
): RowRange[] {
  if (!(most > 0)) throw new ConfigError(`graph/cutRows: a block may cost ${most} at most.`);
  const { rowCount, rowPointers, columns } = matrix;
  const counters = { source: new DistinctCounter(matrix.columnCount), set: setCounter(sets) };
  const ranges: RowRange[] = [];
  let start = 0;
  const add = (row: number): void => {
    for (let e = rowPointers[row] as number; e < (rowPointers[row + 1] as number); e += 1) {
      counters.source.add(columns[e] as number);
      if (sets !== null) counters.set.add(sets.numbers[e] as number);
    }
  };
  for (let row = 0; row < rowCount; row += 1) {
    add(row);
    const entries = (rowPointers[row + 1] as number) - (rowPointers[start] as number);
    const distinct = counters.source.count * cost.source + counters.set.count * (cost.set ?? 0);
    const isOver = (row + 1 - start) * cost.row + entries * cost.entry + distinct > most;
    if (!isOver || row === start) continue;
    ranges.push({ start, end: row });
    start = row;
    counters.source.startBlock();
    counters.set.startBlock();
    add(row);
  }
  if (start < rowCount) ranges.push({ start, end: rowCount });
  return ranges;
}

function setCounter(sets: { readonly count: number } | null): DistinctCounter {
  return new DistinctCounter(sets?.count ?? 0);
}

/** The blocks of a matrix; each is made when it is asked for. */
export interface Blocks<T> {
  readonly count: number;
  at(index: number): T;
}

/**
 * A sparse matrix in blocks of rows, each with columns of its own.
 *
 * @param matrix - `[R, C]`.
 * @throws {ConfigError} when the limit is not above 0.
 */
export function csrBlocks(matrix: CsrArrays, limit: BlockLimit): Blocks<CsrBlock> {
  const ranges = cutRows(matrix, limit);
  const scratch = new Int32Array(matrix.columnCount);
  const at = (index: number): CsrBlock => {
    const range = ranges[index]!;
    return { ...range, ...compactColumns(csrRange(matrix, range), scratch) };
  };
  return { count: ranges.length, at };
}

/**
 * The pairs of a layer in blocks of receiving entities, each with sources and relation sets of its
 * own: what a layer computes without the rest of the graph.
 *
 * @param layer - of a neighbourhood.
 * @param pairs - of the whole graph.
 * @throws {ConfigError} when the limit is not above 0.
 */
export function pairBlocks(
  { pattern, entries }: NeighbourhoodLayer,
  pairs: Pick<RelationPairs, 'sets' | 'averaging'>,
  limit: BlockLimit,
): Blocks<PairBlock> {
  const sets = entries.map((entry) => pairs.sets[entry] as number);
  const setCount = pairs.averaging.rowCount;
  const ranges = cutRows(pattern, limit, { numbers: sets, count: setCount });
  const scratch = { sources: new Int32Array(pattern.columnCount), sets: new Int32Array(setCount) };
  const at = (index: number): PairBlock => {
    const range = ranges[index]!;
    const compact = compactColumns(csrRange(pattern, range), scratch.sources);
    const [first, last] = [pattern.rowPointers[range.start], pattern.rowPointers[range.end]];
    const { values, numbers } = renumber(sets.subarray(first, last), scratch.sets);
    const averaging = csrRows(pairs.averaging, values);
    const local = { neighbours: compact.matrix, sets: numbers, averaging };
    return { ...range, sources: compact.columns, pairs: local };
  };
  return { count: ranges.length, at };
}
