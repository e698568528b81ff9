import {
  type Best,
  type MatrixSize,
  type SimilarityBlocks,
  type SimilarityInputs,
  type Threshold,
} from './similarity-blocks.js';
import { activeKernels } from '../active-kernels.js';
import { kernelBlocks } from './similarity-kernel.js';
import { scannedBlocks } from './similarity-scan.js';
import { assertCount, assertGold, checkedSides, type SimilaritySides } from './similarity-sides.js';

export type { Rows, SimilaritySides } from './similarity-sides.js';

/** What {@link rankPairs} ranks. */
export interface RankPairsOptions extends SimilaritySides {
  /** Column of the true counterpart of each row, -1 for none; `[n]`. */
  gold: Int32Array;
  /** Neighbours in the CSLS terms; lowered, with a remark, where there are fewer. Default 3. */
  k?: number;
  /** Whether hubs are discounted by CSLS; otherwise plain similarities are ranked. */
  csls: boolean;
}

/** Ranks of the true counterparts, in the order of the rows that have one. */
export interface PairRanks {
  /** Rank of the true column among all columns; 1 is best, ties share the mean rank. */
  forwardRanks: Float64Array;
  /** Rank of the row among all rows, seen from its true column. */
  backwardRanks: Float64Array;
  /** What was done differently from what was asked, for the user. */
  remarks: readonly string[];
}

/**
 * Exact ranks of the true counterparts in both directions.
 *
 * `csls(x, y) = 2 cos(x, y) - r(x) - r(y)`, r = mean of the k largest cosines of a row or column,
 * over all candidates passed. Within a row r(x) is constant, so row i counts
 * `#{ j : cos_ij - r(j)/2 > cos_ig - r(g)/2 }`, columns likewise; ties get the mean rank. All in
 * float32, each comparison on the same arithmetic for gold and candidate.
 * Source: sutaoyu/LoginMEA, the evaluation; equation not verified.
 * Deviation: the official code ranks ties by sorted position.
 *
 * The n x m matrix is never held: blocks are computed twice (neighbourhoods, then counts; once
 * without CSLS), but for those within a fixed budget, which are kept. The event loop runs between
 * blocks.
 *
 * @returns ranks, one for each row whose gold is not -1, in row order.
 * @throws {ShapeError} when the sides or `gold` do not fit together.
 * @throws {ConfigError} when a gold column is outside the candidates, or k < 1.
 * @throws {ModelError} when a row holds NaN or an infinity.
 */
export async function rankPairs(options: RankPairsOptions): Promise<PairRanks> {
  const { gold, k = 3, csls } = options;
  const where = 'tensor/rankPairs';
  const sides = await checkedSides(options, where);
  assertGold(gold, sides, where);
  assertCount(k, 'k', where);
  const blocks = createBlocks(sides.inputs, csls ? 2 : 1);
  try {
    const cosines = await blocks.pairs(gold);
    const { rows, columns, remarks } = csls
      ? await halfNeighbourhoods(blocks, { ...sides, k })
      : zeroNeighbourhoods(sides);
    return { ...(await countRanks(blocks, { gold, cosines, rows, columns })), remarks };
  } finally {
    blocks.dispose();
  }
}

/** What {@link nearestPairs} looks for. */
export interface NearestPairsOptions extends SimilaritySides {
  /** Columns returned for each row. */
  k: number;
  /** Neighbours in the CSLS terms; without it plain similarities are used. */
  csls?: number;
}

/** The best columns of every row, best first. */
export interface NearestPairs {
  /** `[n, k]`; -1 where there are fewer than k columns. */
  indices: Int32Array;
  /** `[n, k]`: cosine, or `2 cos - r(x) - r(y)`; -Infinity where there are fewer than k columns. */
  scores: Float32Array;
}

/**
 * The k best columns of every row by similarity, or by CSLS (see {@link rankPairs}).
 *
 * @returns positions and scores `[n, k]`, best first, the lower position first among equals.
 * @throws {ShapeError} when the sides do not fit together.
 * @throws {ConfigError} when k or csls < 1.
 * @throws {ModelError} when a row holds NaN or an infinity.
 */
export async function nearestPairs(options: NearestPairsOptions): Promise<NearestPairs> {
  const where = 'tensor/nearestPairs';
  const sides = await checkedSides(options, where);
  assertCount(options.k, 'k', where);
  if (options.csls !== undefined) assertCount(options.csls, 'csls', where);
  const { k, csls } = options;
  const blocks = createBlocks(sides.inputs, csls === undefined ? 1 : 2);
  try {
    const sampleCount = sides.inputs.left.length;
    if (csls === undefined) {
      const { rows } = await blocks.best({ rowK: k, columnK: 0 });
      return { indices: rows.indices, scores: rows.values.map((value) => value / sampleCount) };
    }
    const half = await halfNeighbourhoods(blocks, { ...sides, k: csls });
    const { rows } = await blocks.best({ rowK: k, columnK: 0, columnShifts: half.columns });
    const scores = rows.values.map(
      (value, at) => (2 * (value - (half.rows[Math.floor(at / k)] ?? 0))) / sampleCount,
    );
    return { indices: rows.indices, scores };
  } finally {
    blocks.dispose();
  }
}

/** The best columns of every row, and the best rows of every column. */
export interface NearestBothWays {
  /** `[n, k]`, as of {@link nearestPairs}. */
  readonly forward: NearestPairs;
  /** `[m, k]`: the rows. */
  readonly backward: NearestPairs;
}

/**
 * The k best columns of every row and the k best rows of every column, by similarity without CSLS,
 * in one walk.
 *
 * @returns positions and scores, best first, the lower position first among equals.
 * @throws {ShapeError} when the sides do not fit together.
 * @throws {ConfigError} when k < 1.
 * @throws {ModelError} when a row holds NaN or an infinity.
 */
export async function nearestBothWays(
  options: SimilaritySides & { readonly k: number },
): Promise<NearestBothWays> {
  const where = 'tensor/nearestBothWays';
  const { inputs } = await checkedSides(options, where);
  const { k } = options;
  assertCount(k, 'k', where);
  const blocks = createBlocks(inputs, 1);
  try {
    const { rows, columns } = await blocks.best({ rowK: k, columnK: k });
    const scored = ({ indices, values }: Best): NearestPairs => ({
      indices,
      scores: values.map((value) => value / inputs.left.length),
    });
    return { forward: scored(rows), backward: scored(columns) };
  } finally {
    blocks.dispose();
  }
}

/**
 * Pairs of a row and a column that are each other's nearest, by similarity without CSLS.
 *
 * For normalised rows the highest cosine is the smallest squared Euclidean distance.
 *
 * @returns row and column of every pair, interleaved, by ascending row; among equally near
 * candidates the lower position counts as the nearest.
 * @throws {ShapeError} when the sides do not fit together.
 * @throws {ModelError} when a row holds NaN or an infinity.
 */
export async function mutualNearest(options: SimilaritySides): Promise<Int32Array> {
  const { inputs } = await checkedSides(options, 'tensor/mutualNearest');
  const blocks = createBlocks(inputs, 1);
  try {
    const { rows, columns } = await blocks.best({ rowK: 1, columnK: 1 });
    const pairs: number[] = [];
    rows.indices.forEach((column, row) => {
      if (columns.indices[column] === row) pairs.push(row, column);
    });
    return Int32Array.from(pairs);
  } finally {
    blocks.dispose();
  }
}

/** Blocks are kept only when they are walked twice. */
function createBlocks(sides: SimilarityInputs, walks: 1 | 2): SimilarityBlocks {
  const inputs = walks === 2 ? sides : { ...sides, cacheBytes: 0 };
  const kernels = activeKernels();
  return kernels ? kernelBlocks(kernels, inputs) : scannedBlocks(inputs);
}

interface Neighbourhoods {
  /** Half the mean of the k largest similarities of every row, and of every column. */
  rows: Float32Array;
  columns: Float32Array;
  remarks: readonly string[];
}

function zeroNeighbourhoods({ rowTotal, columnTotal }: MatrixSize): Neighbourhoods {
  return { rows: new Float32Array(rowTotal), columns: new Float32Array(columnTotal), remarks: [] };
}

async function halfNeighbourhoods(
  blocks: SimilarityBlocks,
  { rowTotal, columnTotal, k }: MatrixSize & { k: number },
): Promise<Neighbourhoods> {
  const rowK = Math.min(k, columnTotal);
  const columnK = Math.min(k, rowTotal);
  const best = await blocks.best({ rowK, columnK });
  const remarks =
    rowK < k || columnK < k
      ? [
          `CSLS neighbourhoods of ${k} were lowered to ${rowK} of the columns and ${columnK} ` +
            'of the rows, as there are no more.',
        ]
      : [];
  return { rows: halfMeans(best.rows, rowK), columns: halfMeans(best.columns, columnK), remarks };
}

function halfMeans({ values }: Best, k: number): Float32Array {
  const means = new Float32Array(values.length / k);
  for (let line = 0; line < means.length; line += 1) {
    let sum = 0;
    for (let rank = 0; rank < k; rank += 1) sum += values[line * k + rank] ?? 0;
    means[line] = sum / (2 * k);
  }
  return means;
}

interface Ranking {
  gold: Int32Array;
  cosines: Float32Array;
  rows: Float32Array;
  columns: Float32Array;
}

async function countRanks(blocks: SimilarityBlocks, { gold, cosines, rows, columns }: Ranking) {
  const ranked = Array.from(gold.keys()).filter((row) => (gold[row] ?? -1) >= 0);
  const forward = new Float64Array(gold.length);
  const backward = new Float64Array(gold.length);
  for (const layer of layersOf(gold, ranked)) {
    const rowSide = emptyThreshold(rows.length, columns);
    const columnSide = emptyThreshold(columns.length, rows);
    for (const row of layer) {
      const column = gold[row] ?? 0;
      const cosine = cosines[row] ?? 0;
      rowSide.limits[row] = cosine - (columns[column] ?? 0);
      rowSide.counterparts[row] = column;
      columnSide.limits[column] = cosine - (rows[row] ?? 0);
      columnSide.counterparts[column] = row;
    }
    const counts = await blocks.count(rowSide, columnSide);
    for (const row of layer) {
      const column = gold[row] ?? 0;
      forward[row] = rankOf(counts.rows, row);
      backward[row] = rankOf(counts.columns, column);
    }
  }
  const compact = (ranks: Float64Array) => Float64Array.from(ranked, (row) => ranks[row] ?? 0);
  return { forwardRanks: compact(forward), backwardRanks: compact(backward) };
}

function rankOf({ above, equal }: { above: Int32Array; equal: Int32Array }, line: number): number {
  return 1 + (above[line] ?? 0) + (equal[line] ?? 0) / 2;
}

function emptyThreshold(lineCount: number, shifts: Float32Array): Threshold {
  return {
    shifts,
    limits: new Float32Array(lineCount).fill(Infinity),
    counterparts: new Int32Array(lineCount).fill(-1),
  };
}

/** Rows in groups without a repeated column; one group when the gold pairs are one-to-one. */
function layersOf(gold: Int32Array, ranked: readonly number[]): number[][] {
  const uses = new Map<number, number>();
  const layers: number[][] = [];
  for (const row of ranked) {
    const column = gold[row] ?? 0;
    const layer = uses.get(column) ?? 0;
    uses.set(column, layer + 1);
    (layers[layer] ??= []).push(row);
  }
  return layers;
}
