import { ShapeError } from '@lab/core';
import { type Hit, TopK } from './top-k.js';

/** Vectors, row by row. */
export interface VectorTable {
  readonly width: number;
  /** `[rows, width]`. */
  readonly values: Float32Array;
}

/**
 * The rows nearest to a vector by cosine, the best first; of a vector of zeros it is 0.
 *
 * `cos(q, r) = q . r / (|q| |r|)`, in double precision.
 *
 * @param query - `[width]`.
 * @throws {ShapeError} when the widths differ.
 */
export function cosineTopK(query: ArrayLike<number>, table: VectorTable, k: number): Hit[] {
  const { width, values } = table;
  if (query.length !== width || (width > 0 && values.length % width !== 0)) {
    throw new ShapeError('llm/retrieval: query and table differ in width.', {
      expected: width,
      got: query.length,
    });
  }
  let squares = 0;
  for (let at = 0; at < width; at += 1) squares += query[at]! * query[at]!;
  const top = new TopK(k);
  for (let start = 0; start < values.length; start += width) {
    let dot = 0;
    let own = 0;
    for (let at = 0; at < width; at += 1) {
      const value = values[start + at]!;
      dot += query[at]! * value;
      own += value * value;
    }
    const scale = Math.sqrt(squares * own);
    top.add(start / width, scale === 0 ? 0 : dot / scale);
  }
  return top.hits();
}

/**
 * Several rankings as one: what stands high in many of them goes first.
 *
 * `score(d) = sum over rankings r that hold d: 1 / (c + rank_r(d))`, ranks from 1.
 * Source: Cormack, Clarke and Buettcher 2009, Reciprocal rank fusion.
 *
 * @param rankings - hits, the best first; their scores are not used.
 * @param c - default 60, as in the source.
 */
export function reciprocalRankFusion(
  rankings: readonly (readonly Hit[])[],
  k: number,
  c = 60,
): Hit[] {
  const scores = new Map<number, number>();
  for (const ranking of rankings) {
    for (const [rank, { index }] of ranking.entries()) {
      scores.set(index, (scores.get(index) ?? 0) + 1 / (c + rank + 1));
    }
  }
  const top = new TopK(k);
  for (const [index, score] of scores) top.add(index, score);
  return top.hits();
}
