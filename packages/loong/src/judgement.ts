/**
 * What a judge says, and the score in it.
 */

/** Why a judgement has no score. */
export type ScoreProblem = 'no-score' | 'out-of-range';

/** A score from 0 to 100, or why there is none. */
export type ParsedScore =
  | { readonly score: number; readonly problem: null }
  | { readonly score: null; readonly problem: ScoreProblem };

/** A judgement as it is kept. */
export interface Judgement {
  /** 0..100; null where none could be read. */
  readonly score: number | null;
  readonly problem: ScoreProblem | null;
  readonly explanation: string;
  /** Requests that it took; 0 where an empty answer gets 0 without any. */
  readonly requests: number;
}

const anchored = /\[\[\s*([+-]?\d+(?:\.\d+)?)\s*\]\]/g;
const single = /\[\s*([+-]?\d+(?:\.\d+)?)\s*\]/;

/** Least and greatest score. */
export const scoreRange = { low: 0, high: 100 } as const;

/**
 * The score of a judgement in words: the last number in double square brackets. A number outside
 * 0..100 there is no score, whatever stands before it.
 *
 * Deviation: the released code takes the first `[[n]]`, else the first `[n]`, whatever its size;
 * `first` does the same, but refuses numbers outside the range.
 */
export function parseScore(text: string, which: 'anchored' | 'first' = 'anchored'): ParsedScore {
  const found = [...text.matchAll(anchored)];
  const chosen =
    which === 'anchored' ? found.at(-1)?.[1] : (found[0]?.[1] ?? single.exec(text)?.[1]);
  if (chosen === undefined) return { score: null, problem: 'no-score' };
  const score = Number(chosen);
  const { low, high } = scoreRange;
  return score >= low && score <= high
    ? { score, problem: null }
    : { score: null, problem: 'out-of-range' };
}
