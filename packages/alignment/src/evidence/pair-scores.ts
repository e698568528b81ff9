/**
 * Scores of pairs from several kinds of evidence, none of which can veto a pair.
 */
import { tf } from '@lab/tensor';
import { linePairs, type PairPattern } from './pair-pattern.js';

/** From where on a kind of evidence speaks for a pair, in standard deviations; null: never. */
export type Threshold = number | null;

/** Steepness of the evidence, per standard deviation. */
const SLOPE = 2;

/** `softplus(2 (z - b))`: nearly 0 below the threshold b, nearly linear above it. */
export function evidenceOf(z: number, threshold: number): number {
  const x = SLOPE * (z - threshold);
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
}

/** The same of a tensor. */
export const evidenceIn = (z: tf.Tensor, threshold: number): tf.Tensor =>
  tf.softplus(tf.mul(tf.sub(z, threshold), SLOPE));

/** One kind of evidence at the pairs of a pattern. */
export interface EvidenceValues {
  /** `softplus(2 (z - b))`, `[E]`; computed once for each threshold. */
  above(threshold: number): Float32Array;
}

/** Evidence from standard scores. */
export function evidenceValues(standard: Float32Array): EvidenceValues {
  const known = new Map<number, Float32Array>();
  return {
    above: (threshold) => {
      const before = known.get(threshold);
      if (before !== undefined) return before;
      const values = new Float32Array(standard.length);
      for (let pair = 0; pair < values.length; pair += 1) {
        values[pair] = evidenceOf(standard[pair]!, threshold);
      }
      known.set(threshold, values);
      return values;
    },
  };
}

/** Scores of the pairs of a pattern, and the CSLS terms of rows and columns in them. */
export interface PairScores {
  /** `[E]`. */
  readonly scores: Float64Array;
  /** `[n]` and `[m]`; zeros without CSLS. */
  readonly own: Float64Array;
  readonly others: Float64Array;
}

/**
 * Score of every pair of the pattern: `S = csls(sum_m softplus(2 (z_m - b_m)))`.
 *
 * A log likelihood ratio with a chance of error has this shape: evidence that speaks against a pair
 * may be an error of the data and takes nothing away, evidence for it counts by how rare it is. So
 * the weight of a kind of evidence is one per pair, `sigmoid(2 (z_m - b_m))`.
 *
 * @param standard - of each kind, z at the pairs: CSLS similarities at mean 0 and deviation 1.
 * @param thresholds - b of each kind; null leaves it out.
 * @param k - neighbours of CSLS; 0 takes the sums.
 */
export function pairScores(
  pattern: PairPattern,
  standard: readonly EvidenceValues[],
  { thresholds, k }: { readonly thresholds: readonly Threshold[]; readonly k: number },
): PairScores {
  const sums = new Float64Array(pattern.columns.length);
  thresholds.forEach((threshold, kind) => {
    if (threshold === null) return;
    const values = standard[kind]!.above(threshold);
    for (let pair = 0; pair < sums.length; pair += 1) sums[pair] = sums[pair]! + values[pair]!;
  });
  if (k === 0) {
    const [own, others] = [pattern.rowCount, pattern.columnCount].map((n) => new Float64Array(n));
    return { scores: sums, own: own!, others: others! };
  }
  const own = bestMeans(pattern, sums, 'rows', k);
  const others = bestMeans(pattern, sums, 'columns', k);
  const { rows, columns } = pattern;
  for (let pair = 0; pair < sums.length; pair += 1) {
    sums[pair] = 2 * sums[pair]! - own[rows[pair]!]! - others[columns[pair]!]!;
  }
  return { scores: sums, own, others };
}

/** Mean of the k best of each line. */
function bestMeans(
  pattern: PairPattern,
  values: Float64Array,
  side: 'rows' | 'columns',
  k: number,
): Float64Array {
  const isRows = side === 'rows';
  const pointers = isRows ? pattern.rowPointers : pattern.columnPointers;
  const means = new Float64Array(pointers.length - 1);
  const best = new Float64Array(k);
  for (let line = 0; line < means.length; line += 1) {
    best.fill(Number.NEGATIVE_INFINITY);
    const [start, end] = [pointers[line]!, pointers[line + 1]!];
    for (let place = start; place < end; place += 1) {
      const value = values[isRows ? place : pattern.byColumn[place]!]!;
      if (!(value > best[k - 1]!)) continue;
      let rank = k - 1;
      for (; rank > 0 && value > best[rank - 1]!; rank -= 1) best[rank] = best[rank - 1]!;
      best[rank] = value;
    }
    const count = Math.min(k, end - start);
    let sum = 0;
    for (let rank = 0; rank < count; rank += 1) sum += best[rank]!;
    means[line] = count === 0 ? 0 : sum / count;
  }
  return means;
}

/** Best pair of each line, the first among equals; -1 for a line without one. */
export function bestPairs(
  pattern: PairPattern,
  scores: Float64Array,
  side: 'rows' | 'columns',
): Int32Array {
  const lines = side === 'rows' ? pattern.rows : pattern.columns;
  const count = side === 'rows' ? pattern.rowCount : pattern.columnCount;
  const best = new Int32Array(count).fill(-1);
  for (let pair = 0; pair < scores.length; pair += 1) {
    const line = lines[pair]!;
    const before = best[line]!;
    if (before < 0 || scores[pair]! > scores[before]!) best[line] = pair;
  }
  return best;
}

/** Pairs that are the best of their row and of their column. */
export function mutualBest(pattern: PairPattern, scores: Float64Array): Int32Array {
  const columns = bestPairs(pattern, scores, 'columns');
  return bestPairs(pattern, scores, 'rows').filter(
    (pair) => pair >= 0 && columns[pattern.columns[pair]!] === pair,
  );
}

/** The best pairs of each line, best first, with their scores; -1 and -Infinity for none. */
export function bestOfLines(
  pattern: PairPattern,
  scores: Float64Array,
  { side, k }: { readonly side: 'rows' | 'columns'; readonly k: number },
): { readonly indices: Int32Array; readonly scores: Float32Array } {
  const others = side === 'rows' ? pattern.columns : pattern.rows;
  const count = side === 'rows' ? pattern.rowCount : pattern.columnCount;
  const found = {
    indices: new Int32Array(count * k).fill(-1),
    scores: new Float32Array(count * k).fill(Number.NEGATIVE_INFINITY),
  };
  for (let line = 0; line < count; line += 1) {
    const order = Array.from(linePairs(pattern, side, line)).sort(
      (a, b) => scores[b]! - scores[a]! || others[a]! - others[b]!,
    );
    order.slice(0, k).forEach((pair, rank) => {
      found.indices[line * k + rank] = others[pair]!;
      found.scores[line * k + rank] = scores[pair]!;
    });
  }
  return found;
}
