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

const bracketed = /\[\[\s*([+-]?\d+(?:\.\d+)?)\s*\]\]/g;
const markup = '[\\s*_`#-]*';
const labels =
  '(?:(?:my|the|final|overall|total)\\s+)*(?:rating|score|grade|mark)|' +
  '(?:最终|总体|综合|总)?(?:评分|得分|分数|打分|评级)';
/** What stands before a score on its line: nothing, or a label that begins a line or a sentence. */
const labelBefore = new RegExp(
  `^${markup}$|` +
    `(?:^|[.!?;。！？；]\\s*)${markup}(?:${labels})${markup}(?:[:：=]|is\\b|为|是)?${markup}$`,
  'iu',
);
/** What may stand behind it on its line. */
const endBehind = /^[*_`]*(?:\s*\/\s*100|\s+out of 100|\s*分)?[\s*_`.。!！]*$/iu;
/** Behind a score these say that it is not the last word. */
const takenBack = new RegExp(
  '\\b(?:ignore|disregard|withdraw\\w*|mixed up|on (?:reflection|second thoughts?)|' +
    'tak(?:e|ing) (?:it|this|that|the \\w+) back|not my (?:rating|grade|score)|' +
    'i (?:correct|revise|change)|(?:rating|score|grade|it|that) should (?:be|have been)|' +
    '(?:is|was|seems) too (?:low|high|harsh|generous|strict|lenient))\\b|更正|收回|作废|应改为',
  'iu',
);
const single = /\[\s*([+-]?\d+(?:\.\d+)?)\s*\]/;

/** Least and greatest score. */
export const scoreRange = { low: 0, high: 100 } as const;

/**
 * The score of a judgement in words: the last number in double square brackets, which must stand by
 * itself: alone on its line, or behind a label such as `Rating:`. Where the last one stands in
 * prose, e.g. as a word on the form, there is no score, whatever stands before it; nor where what
 * follows takes it back, or it is outside 0..100.
 *
 * Deviation: the released code takes the first `[[n]]`, else the first `[n]`, whatever its size;
 * `first` does the same, but refuses numbers outside the range.
 */
export function parseScore(text: string, which: 'anchored' | 'first' = 'anchored'): ParsedScore {
  const chosen = which === 'anchored' ? anchoredScore(text) : firstScore(text);
  if (chosen === undefined) return { score: null, problem: 'no-score' };
  const score = Number(chosen);
  const { low, high } = scoreRange;
  return score >= low && score <= high
    ? { score, problem: null }
    : { score: null, problem: 'out-of-range' };
}

function firstScore(text: string): string | undefined {
  const [found] = text.matchAll(bracketed);
  return found?.[1] ?? single.exec(text)?.[1];
}

/** The last bracketed number, where it is not part of a sentence. */
function anchoredScore(text: string): string | undefined {
  const last = [...text.matchAll(bracketed)].at(-1);
  if (last === undefined) return undefined;
  const [whole, number] = last;
  const before = text.slice(text.lastIndexOf('\n', last.index - 1) + 1, last.index);
  const end = text.indexOf('\n', last.index);
  const behind = text.slice(last.index + whole.length, end < 0 ? text.length : end);
  if (end >= 0 && takenBack.test(text.slice(end))) return undefined;
  return labelBefore.test(before) && endBehind.test(behind) ? number : undefined;
}
