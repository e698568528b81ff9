import { ConfigError, DataError } from '@lab/core';

/** The best columns of each row, as `nearestPairs` of the tensor package returns them. */
export interface CandidateMatrix {
  /** `[n, k]` row-major, best first; -1 where a row has fewer than k candidates. */
  readonly indices: Int32Array;
  /** `[n, k]` row-major, larger is better. */
  readonly scores: Float32Array;
  readonly rowCount: number;
  readonly columnCount: number;
}

/** One-to-one pairs with their scores, by row. */
export interface Matching {
  /** Interleaved (row, column), rows ascending. */
  readonly pairs: Int32Array;
  /** Score of each pair. */
  readonly scores: Float32Array;
}

function candidatesPerRow(candidates: CandidateMatrix): number {
  const { indices, scores, rowCount } = candidates;
  const perRow = rowCount === 0 ? 0 : indices.length / rowCount;
  if (!Number.isInteger(perRow) || indices.length !== scores.length) {
    const sizes = `${indices.length} indices and ${scores.length} scores for ${rowCount} rows`;
    throw new DataError(`graph/matching: ${sizes}.`, { help: 'Pass n rows of k candidates each.' });
  }
  return perRow;
}

function toMatching(columnOf: Int32Array, scoreOf: Float32Array): Matching {
  const pairs: number[] = [];
  const scores: number[] = [];
  for (const [row, column] of columnOf.entries()) {
    if (column < 0) continue;
    pairs.push(row, column);
    scores.push(scoreOf[row] as number);
  }
  return { pairs: Int32Array.from(pairs), scores: Float32Array.from(scores) };
}

/**
 * Pairs that choose each other: column j is the best of row i, and of all rows whose best is j,
 * row i has the highest score (the first one among equals).
 *
 * @param candidates - best columns of each row.
 */
export function mutualPairs(candidates: CandidateMatrix): Matching {
  const perRow = candidatesPerRow(candidates);
  const { indices, scores, rowCount, columnCount } = candidates;
  const rowOf = new Int32Array(columnCount).fill(-1);
  const best = new Float64Array(columnCount).fill(Number.NEGATIVE_INFINITY);
  for (let row = 0; row < rowCount; row += 1) {
    for (let k = 0; k < perRow; k += 1) {
      const column = indices[row * perRow + k] as number;
      const score = scores[row * perRow + k] as number;
      if (column < 0 || score <= (best[column] as number)) continue;
      best[column] = score;
      rowOf[column] = row;
    }
  }
  const columnOf = new Int32Array(rowCount).fill(-1);
  const scoreOf = new Float32Array(rowCount);
  for (let row = 0; row < rowCount; row += 1) {
    const column = perRow === 0 ? -1 : (indices[row * perRow] as number);
    if (column < 0 || rowOf[column] !== row) continue;
    columnOf[row] = column;
    scoreOf[row] = scores[row * perRow] as number;
  }
  return toMatching(columnOf, scoreOf);
}

/**
 * One-to-one pairs taken greedily from the highest score down; rows whose candidates are all taken
 * stay alone. Ties: smaller row, then better place in its list.
 *
 * @param candidates - best columns of each row.
 */
export function greedyOneToOne(candidates: CandidateMatrix): Matching {
  const perRow = candidatesPerRow(candidates);
  const { indices, scores, rowCount, columnCount } = candidates;
  const order = Int32Array.from(indices.keys()).filter((e) => (indices[e] as number) >= 0);
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  const isTaken = new Uint8Array(columnCount);
  const columnOf = new Int32Array(rowCount).fill(-1);
  const scoreOf = new Float32Array(rowCount);
  for (const entry of order) {
    const row = Math.floor(entry / perRow);
    const column = indices[entry] as number;
    if ((columnOf[row] as number) >= 0 || isTaken[column] === 1) continue;
    columnOf[row] = column;
    scoreOf[row] = scores[entry] as number;
    isTaken[column] = 1;
  }
  return toMatching(columnOf, scoreOf);
}

/** Options of {@link sinkhorn}. */
export interface SinkhornOptions {
  /** Scores are divided by this before exp; smaller is sharper. Default 0.02. */
  readonly temperature?: number;
  /** Rounds of row and column scaling, default 30. */
  readonly iterations?: number;
}

/** Sum of `exp(logs - largest)` as a logarithm, over the entries of each group. */
function logSums(logs: Float64Array, groupOf: Int32Array, groupCount: number): Float64Array {
  const largest = new Float64Array(groupCount).fill(Number.NEGATIVE_INFINITY);
  const sums = new Float64Array(groupCount);
  for (let e = 0; e < logs.length; e += 1) {
    const group = groupOf[e] as number;
    if (group >= 0) largest[group] = Math.max(largest[group] as number, logs[e] as number);
  }
  for (let e = 0; e < logs.length; e += 1) {
    const group = groupOf[e] as number;
    if (group < 0) continue;
    sums[group] =
      (sums[group] as number) + Math.exp((logs[e] as number) - (largest[group] as number));
  }
  return sums.map((sum, group) => (sum > 0 ? Math.log(sum) + (largest[group] as number) : 0));
}

/**
 * The candidates with scores made doubly stochastic: `exp(score / temperature)` scaled to row and
 * column sums of at most 1 in turn, on the given candidates only (an absent one counts 0). Rows
 * are sorted anew, so that {@link greedyOneToOne} can follow.
 *
 * Source: Cuturi 2013, Sinkhorn iterations, in logarithms, on a sparse matrix.
 *
 * @param candidates - best columns of each row, e.g. k = 50 with CSLS scores.
 * @param options - temperature and rounds.
 * @returns candidates whose scores are shares in 0..1.
 * @throws {ConfigError} when temperature is not positive.
 */
export function sinkhorn(
  candidates: CandidateMatrix,
  options: SinkhornOptions = {},
): CandidateMatrix {
  const { temperature = 0.02, iterations = 30 } = options;
  if (!(temperature > 0)) {
    const help = 'Give a positive number, e.g. 0.02.';
    throw new ConfigError(`graph/sinkhorn: temperature is ${temperature}.`, { help });
  }
  const perRow = candidatesPerRow(candidates);
  const { indices, rowCount, columnCount } = candidates;
  const logs = Float64Array.from(candidates.scores, (score) => score / temperature);
  const rowOf = Int32Array.from(indices, (column, e) => (column < 0 ? -1 : Math.floor(e / perRow)));
  for (let round = 0; round < iterations; round += 1) {
    for (const [groupOf, count] of [
      [rowOf, rowCount],
      [indices, columnCount],
    ] as const) {
      const sums = logSums(logs, groupOf, count);
      for (let e = 0; e < logs.length; e += 1) {
        const group = groupOf[e] as number;
        if (group >= 0) logs[e] = (logs[e] as number) - (sums[group] as number);
      }
    }
  }
  return sortRows(candidates, logs, perRow);
}

function sortRows(
  candidates: CandidateMatrix,
  logs: Float64Array,
  perRow: number,
): CandidateMatrix {
  const indices = new Int32Array(candidates.indices.length);
  const scores = new Float32Array(indices.length);
  for (let row = 0; row < candidates.rowCount; row += 1) {
    const entries = Array.from({ length: perRow }, (_, k) => row * perRow + k);
    const valueOf = (e: number): number =>
      (candidates.indices[e] as number) < 0 ? -1 : Math.exp(logs[e] as number);
    entries.sort((a, b) => valueOf(b) - valueOf(a) || a - b);
    for (const [k, entry] of entries.entries()) {
      const value = valueOf(entry);
      indices[row * perRow + k] = candidates.indices[entry] as number;
      scores[row * perRow + k] = value < 0 ? Number.NEGATIVE_INFINITY : value;
    }
  }
  return { ...candidates, indices, scores };
}
