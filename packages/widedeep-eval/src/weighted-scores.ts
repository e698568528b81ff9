/**
 * Scores as the mean of all that a judge might have written at their places.
 */
import { type TokenLogprob, weightedScore } from '@lab/llm';
import type { ParsedScores } from './scores.js';

type Scores = Pick<Extract<ParsedScores, { isParsed: true }>, 'score1' | 'score2'>;

/** What stands before the score of an assistant, by the form of the answer. */
const labels = {
  text: (assistant: 1 | 2) => `Score of Assistant ${assistant}`,
  json: (assistant: 1 | 2) => `"score${assistant}"`,
} as const;
const allScores = Array.from({ length: 10 }, (_, at) => at + 1);
const numberBehind = /^[^\d\n]*(\d+(?:[.,]\d+)?)/;
/** A mean over less says little of what else was likely. */
const mostOutside = 0.5;

/**
 * The scores of both assistants, each the mean of 1 to 10 weighted by the probabilities that the
 * server lists at its place; null where that cannot be told: no list, a label that is not the one
 * that was asked for, a score that is no whole number or takes several tokens, or half of the
 * probability on something else.
 *
 * `score = sum_s p(s) s`. Source: Liu et al. 2023, G-Eval, section 2.
 *
 * @param tokens - those of the whole answer.
 * @param written - the scores in its text, which must be the ones at these places.
 */
export function weightedScores(
  tokens: readonly TokenLogprob[],
  written: Scores,
  format: 'json' | 'text',
): Scores | null {
  const score1 = weightedAt(tokens, labels[format](1), written.score1);
  const score2 = weightedAt(tokens, labels[format](2), written.score2);
  return score1 === null || score2 === null ? null : { score1, score2 };
}

function weightedAt(
  tokens: readonly TokenLogprob[],
  after: string,
  written: number,
): number | null {
  const text = tokens.map(({ token }) => token).join('');
  const start = text.lastIndexOf(after);
  if (start < 0) return null;
  const behind = start + after.length;
  const number = numberBehind.exec(text.slice(behind));
  if (number === null || Number(number[1]) !== written) return null;
  // Up to the score alone: what stands behind it may hold numbers as well.
  const upToScore = tokensUpTo(tokens, behind + number[0].length);
  const found = weightedScore(upToScore, allScores, { after });
  return found === null || found.outside > mostOutside ? null : found.score;
}

/** The tokens that begin before a place in the text. */
function tokensUpTo(tokens: readonly TokenLogprob[], end: number): readonly TokenLogprob[] {
  let at = 0;
  const count = tokens.findIndex(({ token }) => {
    const isBehind = at >= end;
    at += token.length;
    return isBehind;
  });
  return count < 0 ? tokens : tokens.slice(0, count);
}
