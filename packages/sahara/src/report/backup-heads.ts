/**
 * What a scan of single heads misses: heads that matter only once another one is gone.
 */
import { headKey, rankHeads } from '../head.js';
import type { SearchStep } from '../figures/score-comparison-figures.js';

/** A pick of Sahara: what it does alone, and what it adds to the group. */
export interface PickedHead {
  readonly name: string;
  /** Score alone: that of the first step. */
  readonly alone: number;
  /** Rank by that score, from 1. */
  readonly rankAlone: number;
  /** Score of the group with this head. */
  readonly group: number;
  /** What it adds: the group's score minus that of the group before. */
  readonly gain: number;
  /** Whether it adds far more than it does alone: it stands in for an earlier pick. */
  readonly isBackup: boolean;
}

/** A gain counts as a backup's from so many times the score alone, and this share of the best. */
const BACKUP = { factor: 2, share: 0.25 } as const;

/**
 * The picks of a search in order.
 *
 * A head is called a backup where its gain is more than twice its score alone and at least a
 * quarter of the best single score: a scan of single heads undervalues it.
 */
export function pickedHeads(steps: readonly SearchStep[]): PickedHead[] {
  const first = steps[0];
  if (first === undefined) return [];
  const single = rankHeads(first.scores);
  const best = single[0]?.score ?? 0;
  let before = 0;
  return steps.map(({ scores, group }, index) => {
    const { layer, head } = group.at(-1)!;
    const name = headKey({ layer, head });
    const alone = first.scores[layer]?.[head] ?? 0;
    const score = scores[layer]?.[head] ?? 0;
    const gain = score - before;
    before = score;
    return {
      ...{ name, alone, group: score, gain },
      rankAlone: single.findIndex((one) => headKey(one) === name) + 1,
      isBackup: index > 0 && gain > BACKUP.factor * alone && gain >= BACKUP.share * best,
    };
  });
}

/** One sentence for each backup head, for a page. */
export function backupSentences(picks: readonly PickedHead[], unit: string): string[] {
  const earlier = (index: number) =>
    picks
      .slice(0, index)
      .map(({ name }) => name)
      .join(', ');
  return picks.flatMap(({ name, isBackup, alone, gain, rankAlone }, index) =>
    isBackup
      ? [
          `Head ${name} adds ${gain.toPrecision(3)} ${unit} once ${earlier(index)} ` +
            `${index === 1 ? 'is' : 'are'} ablated, alone it has ${alone.toPrecision(3)} ` +
            `(rank ${rankAlone}): it stands in for what is gone, and scores of single heads ` +
            'do not show what they carry together.',
        ]
      : [],
  );
}
