/**
 * What the page of several runs says about scans: the same heads or others, along a setting, and
 * how concentrated each is.
 */
import type { Axis, CaptionedFigure, Section, Table } from '@lab/report';
import {
  headOverlap,
  rankingAgreement,
  scoreScatter,
  scoreSweep,
} from '../figures/score-comparison-figures.js';
import { type NamedScores, scoreDensity, scoreDistribution } from '../figures/score-figures.js';
import { probesAgainstScores } from '../figures/utility-figures.js';
import { headKey, leadingCount, rankHeads } from '../head.js';
import { compareScores, scoreFileDifferences } from '../overlap.js';
import type { ScoreFile } from '../score-file.js';
import { scoreConcentration } from './concentration.js';

/** Pairs of scans that have figures of their own: each with the first one. */
const SHOWN_PAIRS = 4;
/** Heads that count as the best, where so many have a score worth the name. */
const TOP = 10;

/** Scores of a run under its name. */
export type NamedFile = NamedScores & ScoreFile;

const isSameSize = (a: ScoreFile, b: ScoreFile): boolean =>
  a.model.layerCount === b.model.layerCount && a.model.headCount === b.model.headCount;

/** One sentence about the first two scans; null where they cannot be compared. */
export function scansSentence([first, second]: readonly NamedFile[]): string | null {
  if (first === undefined || second === undefined || !isSameSize(first, second)) return null;
  const top = leadingCount([first, second], TOP);
  const { top: shared } = compareScores(first, second, { top });
  return (
    `${shared.both.length} of the best ${top} heads of ${first.name} are also among those of ` +
    `${second.name} (p = ${shared.pValue.toPrecision(2)}).`
  );
}

/** Sections of two or more scans. */
export function scanSections(scans: readonly NamedFile[]): Section[] {
  const [first] = scans;
  const pairs = scans
    .slice(1)
    .filter((other) => isSameSize(first!, other))
    .map((other) => [first!, other] as const);
  const shown = pairs.slice(0, SHOWN_PAIRS);
  const isOneUnit = scans.every(({ unit }) => unit === first!.unit);
  const all = pairs.length + 1 === scans.length;
  return [
    {
      heading: 'The same heads?',
      text:
        'Rankings are compared, because scores of different data, ablations and models have no ' +
        'common scale.',
      figures: [
        ...shown.map(([a, b]) => headOverlap(a, b)),
        ...(all && scans.length > 2 ? [rankingAgreement(scans)] : []),
        ...shown.map(([a, b]) => scoreScatter(a, b)),
        ...probeFigures(scans),
      ],
      ...(pairs.length === 0 ? {} : { table: overlapTable(pairs) }),
    },
    ...sweepSections(scans),
    {
      heading: 'How few heads',
      figures: isOneUnit ? [scoreDistribution(scans), scoreDensity(scans)] : [],
      table: concentrationTable(scans),
    },
  ];
}

function overlapTable(pairs: readonly (readonly [NamedFile, NamedFile])[]): Table {
  return {
    caption: 'Overlap of the best heads, and correlation of all',
    columns: [
      { key: 'pair', label: 'Scans' },
      { key: 'shared', label: 'Shared' },
      { key: 'jaccard', label: 'Jaccard', kind: 'share' },
      { key: 'p', label: 'p by chance', kind: 'number' },
      { key: 'spearman', label: 'Spearman', kind: 'share' },
      { key: 'kendall', label: 'Kendall', kind: 'share' },
      { key: 'rbo', label: 'Rank-biased overlap', kind: 'share' },
    ],
    rows: pairs.map(([a, b]) => {
      const top = leadingCount([a, b], TOP);
      const compared = compareScores(a, b, { top });
      const { top: shared, spearman, kendall, rankBiasedOverlap: rbo } = compared;
      const differences = scoreFileDifferences(a, b).join('; ');
      return {
        pair: { value: `${a.name}, ${b.name}`, note: differences || 'made in the same way' },
        shared: `${shared.both.length} of ${top}`,
        ...{ jaccard: shared.jaccard, p: shared.pValue, spearman, kendall, rbo },
      };
    }),
  };
}

function concentrationTable(scans: readonly NamedFile[]): Table {
  return {
    caption: 'Safety concentration: how much of the summed score lies with few heads',
    columns: [
      { key: 'name', label: 'Scan' },
      { key: 'gini', label: 'Concentration (Gini)', kind: 'share' },
      { key: 'half', label: 'Heads for half', kind: 'count' },
      { key: 'heads', label: 'Heads', kind: 'count' },
      { key: 'first', label: 'First head', kind: 'code' },
    ],
    rows: scans.map(({ name, scores }) => {
      const found = scoreConcentration(scores);
      const [best] = rankHeads(scores, 1);
      return {
        ...{ name, gini: found?.gini, half: found?.headsForHalf, heads: found?.headCount },
        first: best === undefined ? '' : headKey(best),
      };
    }),
  };
}

/** Probes of heads beside each scan by ablation. */
function probeFigures(scans: readonly NamedFile[]): CaptionedFigure[] {
  const probes = scans.find(({ kind }) => kind === 'probe-heads');
  if (probes === undefined) return [];
  return scans
    .filter((scan) => scan.ablation !== undefined && isSameSize(probes, scan))
    .slice(0, SHOWN_PAIRS)
    .map(({ scores, unit, name }) =>
      probesAgainstScores(
        scores.flatMap((row, layer) =>
          row.flatMap((score, head) => {
            const probeAccuracy = probes.scores[layer]![head];
            if (score === null || typeof probeAccuracy !== 'number') return [];
            return [{ name: headKey({ layer, head }), probeAccuracy, score }];
          }),
        ),
        unit,
        name,
      ),
    );
}

/** Settings that are swept, where scans differ in that one alone. */
const SWEEPS: readonly (Axis & {
  readonly differs: string;
  readonly of: (file: ScoreFile) => number | undefined;
})[] = [
  { label: 'factor eps', isLog: true, differs: 'eps', of: ({ ablation }) => ablation?.eps },
  { label: 'singular vectors r', differs: 'rank', of: ({ subspace }) => subspace?.rank },
  { label: 'prompts', differs: 'data', of: ({ data }) => data.promptCount },
];

/** The best heads along a setting that three or more scans differ in, and in nothing else. */
function sweepSections(scans: readonly NamedFile[]): Section[] {
  const figures = SWEEPS.flatMap(({ differs, of, ...axis }): CaptionedFigure[] => {
    const swept = scans.flatMap((scan) => {
      const at = of(scan);
      const isOther = scoreFileDifferences(scans[0]!, scan).some(
        (words) => !words.startsWith(`${differs}:`),
      );
      const canBeDrawn = at !== undefined && (axis.isLog !== true || at > 0);
      return canBeDrawn && !isOther ? [{ ...scan, at }] : [];
    });
    const isSweep = swept.length === scans.length && new Set(swept.map(({ at }) => at)).size > 2;
    return isSweep ? [scoreSweep(axis, swept)] : [];
  });
  return figures.length === 0 ? [] : [{ heading: 'Along a setting', figures }];
}
