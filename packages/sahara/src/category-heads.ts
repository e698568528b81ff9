/**
 * Heads by kind of prompt: does another head refuse other harm?
 */
import { type HeadId, headKey, rankHeads, type ScoredHead } from './head.js';
import type { PromptMatrix } from './head-stability.js';
import { meanScores } from './score-file.js';

/** A prompt with its scores and what kind it is. */
export interface CategorisedScores extends PromptMatrix {
  readonly category?: string | undefined;
}

/** The heads of a category. */
export interface CategoryHeads {
  readonly category: string;
  readonly promptCount: number;
  /** Mean over its prompts, `[L][H]`. */
  readonly scores: readonly (readonly (number | null)[])[];
  readonly best: readonly ScoredHead[];
  /** Of its best heads those that are also among the best on all prompts of other categories. */
  readonly shared: readonly HeadId[];
}

/**
 * The best heads of each category, by mean score over its prompts, in the order of the names; none
 * where fewer than two categories are known.
 *
 * @param top - heads that count as the best; default 10.
 */
export function categoryHeads(prompts: readonly CategorisedScores[], top = 10): CategoryHeads[] {
  const names = [...new Set(prompts.flatMap(({ category }) => category ?? []))].toSorted();
  if (names.length < 2) return [];
  return names.map((category) => {
    const own = prompts.filter((one) => one.category === category);
    const others = prompts.filter((one) => one.category !== category);
    const scores = meanScores(own);
    const best = rankHeads(scores, top);
    const elsewhere = new Set(rankHeads(meanScores(others), top).map(headKey));
    return {
      ...{ category, scores, best, promptCount: own.length },
      shared: best
        .filter((head) => elsewhere.has(headKey(head)))
        .map(({ layer, head }) => ({ layer, head })),
    };
  });
}
