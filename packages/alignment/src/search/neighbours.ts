/**
 * Candidates of rows with their cosines, and CSLS scores among them.
 */
import type { NearestPairs } from '@lab/tensor';

/** The nearest found of each row, best first. */
export interface Neighbours {
  /** Positions on the other side, `[n, width]`; -1 where there are fewer. */
  readonly indices: Int32Array;
  /** `[n, width]`; -Infinity where there are fewer. */
  readonly cosines: Float32Array;
  readonly width: number;
}

/** Of no rows. */
export const noNeighbours: Neighbours = {
  indices: new Int32Array(0),
  cosines: new Float32Array(0),
  width: 0,
};

/**
 * Found candidates by their cosines, best first, the lower position first among equals.
 *
 * @param found - positions on the other side, `[n, width]`, -1 for none.
 * @param products - cosine of each, same layout; anything where there is none.
 */
export function sortedNeighbours(
  found: Int32Array,
  products: Float32Array,
  width: number,
): Neighbours {
  const indices = new Int32Array(found.length).fill(-1);
  const cosines = new Float32Array(found.length).fill(Number.NEGATIVE_INFINITY);
  for (let start = 0; start < found.length; start += width) {
    const places: number[] = [];
    for (let at = start; at < start + width; at += 1) if (found[at]! >= 0) places.push(at);
    places.sort((a, b) => products[b]! - products[a]! || found[a]! - found[b]!);
    places.forEach((at, rank) => {
      indices[start + rank] = found[at]!;
      cosines[start + rank] = products[at]!;
    });
  }
  return { indices, cosines, width };
}

/** Mean of the first k of each line of `width` values, best first; 0 for a line without any. */
export function nearestMeans(
  values: Float32Array,
  { width, k }: { readonly width: number; readonly k: number },
): Float64Array {
  return Float64Array.from({ length: values.length / Math.max(1, width) }, (_, line) => {
    const end = line * width + Math.min(k, width);
    const best = values.subarray(line * width, end).filter(Number.isFinite);
    return best.length === 0 ? 0 : best.reduce((sum, value) => sum + value, 0) / best.length;
  });
}

/** Rank of a score among those of its line, its own included; equal ones share the mean rank. */
export function tiedRank(score: number, line: Iterable<number>): number {
  let [above, equal] = [0, 0];
  for (const other of line) {
    if (other > score) above += 1;
    else if (other === score) equal += 1;
  }
  return 1 + above + (equal - 1) / 2;
}

/** Mean cosine of the k nearest of each row: its term in CSLS. */
export const nearnessOf = ({ cosines, width }: Neighbours, k: number): Float32Array =>
  Float32Array.from(nearestMeans(cosines, { width, k }));

/** CSLS terms of both sides, of the rows that ask and of those that are found; null: cosines. */
export interface Nearness {
  readonly own: Float32Array;
  readonly others: Float32Array;
}

/**
 * The best of the candidates by `2 cos - r(x) - r(y)`, or by cosine; ordered as `nearestPairs`.
 *
 * @param k - of each row.
 */
export function bestCandidates(
  { indices, cosines, width }: Neighbours,
  nearness: Nearness | null,
  k: number,
): NearestPairs {
  const rowCount = indices.length / Math.max(1, width);
  const best = {
    indices: new Int32Array(rowCount * k).fill(-1),
    scores: new Float32Array(rowCount * k).fill(Number.NEGATIVE_INFINITY),
  };
  for (let row = 0; row < rowCount; row += 1) {
    const line = scoredLine({ indices, cosines, width }, nearness, row);
    line.sort((a, b) => b.score - a.score || a.index - b.index);
    line.slice(0, k).forEach(({ index, score }, rank) => {
      best.indices[row * k + rank] = index;
      best.scores[row * k + rank] = score;
    });
  }
  return best;
}

function scoredLine(
  { indices, cosines, width }: Neighbours,
  nearness: Nearness | null,
  row: number,
): { index: number; score: number }[] {
  const line: { index: number; score: number }[] = [];
  for (let at = row * width; at < (row + 1) * width; at += 1) {
    const index = indices[at]!;
    if (index < 0) break;
    const cosine = cosines[at]!;
    const score =
      nearness === null ? cosine : 2 * cosine - nearness.own[row]! - nearness.others[index]!;
    line.push({ index, score });
  }
  return line;
}

/** Pairs whose ranks are wanted, by position: of the row that asks, and of its counterpart. */
export interface AskedPairs {
  readonly own: Int32Array;
  readonly counterparts: Int32Array;
}

/**
 * Rank of each pair's counterpart among the candidates of its row; one that is not among them is
 * ranked last of all the other side. Rivals that the index missed are not counted.
 *
 * @param last - rows of the other side.
 * @returns ranks in the order of the pairs, ties share the mean rank; and how many were not found.
 */
export function candidateRanks(
  neighbours: Neighbours,
  nearness: Nearness | null,
  { own, counterparts, last }: AskedPairs & { readonly last: number },
): { readonly ranks: Float64Array; readonly missed: number } {
  let missed = 0;
  const ranks = Float64Array.from(own, (row, at) => {
    const line = scoredLine(neighbours, nearness, row);
    const found = line.find(({ index }) => index === counterparts[at]);
    if (found === undefined) {
      missed += 1;
      return last;
    }
    return tiedRank(
      found.score,
      line.map(({ score }) => score),
    );
  });
  return { ranks, missed };
}
