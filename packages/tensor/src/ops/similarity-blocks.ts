import { tf } from '../tfjs.js';
import type { RowSource } from './similarity-rows.js';

/** Position and size of a block of the similarity matrix. */
export interface BlockRange {
  rowStart: number;
  rowCount: number;
  columnStart: number;
  columnCount: number;
}

/** The k best values of every line (a row or a column) with their positions, best first. */
export interface Best {
  /** Value `rank` of line i at `i * k + rank`; -Infinity where fewer than k were seen. */
  values: Float32Array;
  /** Positions, same layout; -1 where fewer than k were seen. */
  indices: Int32Array;
}

/** What {@link SimilarityBlocks.count} compares and where its counts go, for one side. */
export interface Threshold {
  /** Taken off a similarity before it is compared, by position on the other side. */
  shifts: Float32Array;
  /** A line's shifted similarity of its true counterpart; Infinity counts nothing. */
  limits: Float32Array;
  /** Position of the line's true counterpart, or -1; never counted. */
  counterparts: Int32Array;
}

/** How many other candidates score above, and the same as, the true counterpart of each line. */
export interface Counts {
  above: Int32Array;
  equal: Int32Array;
}

/** Walks over all similarities of two sets of rows block by block; sums over the samples. */
export interface SimilarityBlocks {
  /** Similarity of row i with column `counterparts[i]`, computed as in the blocks; 0 for -1. */
  pairs(counterparts: Int32Array): Promise<Float32Array>;
  /** The `rowK` best columns of every row and the `columnK` best rows of every column. */
  best(wanted: {
    rowK: number;
    columnK: number;
    columnShifts?: Float32Array;
  }): Promise<{ rows: Best; columns: Best }>;
  /** Counts against thresholds of rows (over columns) and of columns (over rows). */
  count(rows: Threshold, columns: Threshold): Promise<{ rows: Counts; columns: Counts }>;
  dispose(): void;
}

/** Rows of both sides: one source a side, or several samples whose similarities are summed. */
export interface SimilarityInputs {
  left: readonly RowSource[];
  right: readonly RowSource[];
  signal?: AbortSignal | undefined;
  block: BlockSize;
  /** Bytes of blocks kept for a second walk, where blocks are kept. */
  cacheBytes: number;
}

/** Most rows and columns of a block. */
export interface BlockSize {
  rows: number;
  columns: number;
}

/** A block of 8 MiB: large enough that a product is limited by arithmetic. */
export const defaultBlock: BlockSize = { rows: 512, columns: 4096 };

/** Of rows that are uploaded block by block: every row block passes all columns once. */
export const uploadedBlock: BlockSize = { rows: 2048, columns: 4096 };

/** Blocks kept for a second walk: nearly half of 10,500 by 10,500, all of a smaller matrix. */
export const defaultCacheBytes = 192 * 2 ** 20;

/** Rows and columns of the whole matrix. */
export interface MatrixSize {
  rowTotal: number;
  columnTotal: number;
}

/** All blocks of a matrix, row blocks outside, columns inside, both ascending. */
export function* blockRanges(
  { rowTotal, columnTotal }: MatrixSize,
  block: BlockSize,
): Generator<BlockRange> {
  for (let rowStart = 0; rowStart < rowTotal; rowStart += block.rows) {
    const rowCount = Math.min(block.rows, rowTotal - rowStart);
    for (let columnStart = 0; columnStart < columnTotal; columnStart += block.columns) {
      const columnCount = Math.min(block.columns, columnTotal - columnStart);
      yield { rowStart, rowCount, columnStart, columnCount };
    }
  }
}

/** Empty tables for the best values of `lineCount` lines. */
export function emptyBest(lineCount: number, k: number): Best {
  return {
    values: new Float32Array(lineCount * k).fill(-Infinity),
    indices: new Int32Array(lineCount * k).fill(-1),
  };
}

/** Lets the event loop run and throws the signal's reason when it has been aborted. */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await tf.nextFrame();
  signal?.throwIfAborted();
}
