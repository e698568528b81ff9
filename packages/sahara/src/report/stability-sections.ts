/**
 * What a page says about how sure a ranking is: other prompts, kinds of prompts, harmless ones.
 */
import type { Section } from '@lab/report';
import { categoryHeads } from '../category-heads.js';
import { headOverlap, scoreScatter } from '../figures/score-comparison-figures.js';
import { agreementBySize, scoreByCategory, scoreIntervals } from '../figures/stability-figures.js';
import { headKey, type HeadId, leadingCount, rankHeads } from '../head.js';
import { headStability, isResampleable } from '../head-stability.js';
import { overRefusalHeads } from '../over-refusal.js';
import type { PromptScoreLine, ScoreFile } from '../score-file.js';
import { subsetAgreement } from '../subset-agreement.js';

/** Work of resampling that a page may cost: prompts x heads x draws. */
const MOST_WORK = 4e8;
const TOP = 10;

/** Intervals of scores and ranks, and agreement of smaller sets; none without scores by prompt. */
export function stabilitySections(lines: readonly PromptScoreLine[], seed: number): Section[] {
  if (!isResampleable(lines)) return [];
  const headCount = rankHeads(lines[0]!.scores).length;
  const most = Math.floor(MOST_WORK / (headCount * lines.length));
  const stability = headStability(lines, {
    ...{ top: TOP, seed, resamples: Math.max(100, Math.min(1000, most)) },
  });
  const draws = Math.max(20, Math.min(200, most));
  const agreement = subsetAgreement(lines, { seed, draws });
  return [
    {
      heading: 'With other prompts',
      text:
        'Prompts are a sample. A head whose rank is certain would be named by another sample of ' +
        'the same kind, too.',
      figures: [
        scoreIntervals(stability, 'nats'),
        ...(agreement.length > 1 ? [agreementBySize(agreement)] : []),
      ],
      table: {
        caption: 'Best heads; intervals are 95 % over resampled prompts',
        columns: [
          { key: 'name', label: 'Head', kind: 'code' },
          { key: 'mean', label: 'Mean (nats)', kind: 'number' },
          { key: 'rank', label: 'Rank', kind: 'count' },
          { key: 'ranks', label: 'Ranks' },
          { key: 'top', label: `Among the best ${TOP}`, kind: 'percent' },
        ],
        rows: stability.slice(0, TOP).map((head) => ({
          name: headKey(head),
          mean: { value: head.mean, low: head.low, high: head.high },
          rank: head.rank,
          ranks: `${Math.round(head.rankLow)} to ${Math.round(head.rankHigh)}`,
          top: head.topShare,
        })),
      },
    },
  ];
}

const namesOf = (heads: readonly HeadId[]): string => heads.map(headKey).join(', ') || 'none';

/** Heads of each kind of prompt; none where prompts have no kinds. */
export function categorySections(lines: readonly PromptScoreLine[]): Section[] {
  const categories = categoryHeads(lines, TOP);
  if (categories.length === 0) return [];
  return [
    {
      heading: 'Kinds of prompts',
      text:
        'Where kinds share their heads, one mechanism refuses them all. Kinds of few prompts ' +
        'have uncertain rankings.',
      figures: [scoreByCategory(categories, 'nats')],
      table: {
        caption: `Best heads of each kind, and how many are among the best ${TOP} of the others`,
        columns: [
          { key: 'category', label: 'Kind' },
          { key: 'prompts', label: 'Prompts', kind: 'count' },
          { key: 'best', label: 'Best heads' },
          { key: 'shared', label: 'Shared with others', kind: 'count' },
        ],
        rows: categories.map(({ category, promptCount, best, shared }) => ({
          ...{ category, prompts: promptCount, best: namesOf(best.slice(0, 3)) },
          shared: shared.length,
        })),
        ...(categories.length > 25 ? { pageRows: 25 } : {}),
      },
    },
  ];
}

/** The same scan on prompts that are answered: which heads are of refusals alone. */
export function harmlessSections(file: ScoreFile, harmless: ScoreFile | null): Section[] {
  if (harmless === null) return [];
  const most = leadingCount([file, harmless], TOP);
  const { refusalOnly, shared } = overRefusalHeads(file, harmless, { top: most });
  const [own, other] = [
    { ...file, name: 'refused' },
    { ...harmless, name: 'harmless' },
  ];
  return [
    {
      heading: 'Heads of refusals, heads of everything',
      text:
        `Of the best ${most}, on harmful prompts alone: ${namesOf(refusalOnly)}. Also on ` +
        `harmless ones: ${namesOf(shared)}; these move the next token of any prompt, and ` +
        'ablating them costs more than refusals.',
      figures: [scoreScatter(own, other), headOverlap(own, other, most)],
    },
  ];
}
