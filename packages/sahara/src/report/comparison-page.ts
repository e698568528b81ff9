/**
 * The page of several runs side by side: the same heads or others, more success or less.
 */
import { basename, resolve } from 'node:path';
import type { CaptionedFigure, RunPage, Section, Table } from '@lab/report';
import { formatCounted } from '@lab/core';
import {
  headOverlap,
  rankingAgreement,
  scoreScatter,
} from '../figures/score-comparison-figures.js';
import { type NamedScores, scoreDensity, scoreDistribution } from '../figures/score-figures.js';
import {
  successBars,
  successByHeadCount,
  type SuccessCurve,
  successMap,
} from '../figures/success-figures.js';
import type { HeadId } from '../head.js';
import { compareScores, scoreFileDifferences } from '../overlap.js';
import type { ScoreFile } from '../score-file.js';
import { version } from '../version.js';
import { type EvaluatedArms, evaluateArms, successCurve } from './response-sections.js';
import type { RunContents } from './run-contents.js';
import { modelName } from './run-page.js';

/** Pairs of scans that have figures of their own: each with the first one. */
const SHOWN_PAIRS = 4;
/** From so many runs with one head each on a map of all heads is drawn. */
const FEWEST_SINGLE = 6;

type NamedFile = NamedScores & ScoreFile;

interface AblatedRun {
  readonly name: string;
  readonly contents: RunContents;
  readonly evaluated: EvaluatedArms;
  /** Heads of each prompt. */
  readonly headCount: number;
  readonly heads: readonly HeadId[];
}

/**
 * The page of several runs.
 *
 * @param command - that writes it again.
 */
export function comparisonPage(runs: readonly RunContents[], command: string): RunPage {
  const named = runs.map((contents) => ({ name: basename(resolve(contents.dir)), contents }));
  const scans = named.flatMap(({ name, contents: { scores } }) =>
    scores === null ? [] : [{ ...scores, name }],
  );
  const ablated = named.flatMap(({ name, contents }) => ablatedRun(name, contents) ?? []);
  const sections = [
    ...(scans.length > 1 ? scanSections(scans) : []),
    ...(ablated.length > 0 ? successSections(ablated) : []),
  ];
  const [main, ...rest] = sections;
  return {
    title: 'Runs side by side',
    eyebrow: `sahara, ${formatCounted(runs.length, 'run')}`,
    sentence: sentenceOf(scans, ablated),
    numbers: [],
    ...(main?.figures?.[0] === undefined ? {} : { mainFigure: main.figures[0] }),
    sections:
      main === undefined ? [] : [{ ...main, figures: main.figures?.slice(1) ?? [] }, ...rest],
    ...{ cost: [], settings: [], files: [], command },
    environment: [{ label: 'package', value: `@lab/sahara ${version}` }],
    warnings: runs.flatMap(({ dir, record: { status } }) =>
      status === 'success' ? [] : [`${basename(dir)} ended as: ${status}.`],
    ),
  };
}

function ablatedRun(name: string, contents: RunContents): AblatedRun | null {
  const { record, responses } = contents;
  if (responses.length === 0) return null;
  const settings = (record.config.resolved ?? {}) as {
    readonly heads?: readonly HeadId[];
    readonly byPrompt?: readonly (readonly [string, readonly HeadId[]])[] | null;
  };
  const heads = settings.heads ?? [];
  const own = settings.byPrompt?.[0]?.[1].length;
  const evaluated = evaluateArms(responses, record.seed);
  return { ...{ name, contents, evaluated, heads }, headCount: own ?? heads.length };
}

function sentenceOf(scans: readonly NamedFile[], ablated: readonly AblatedRun[]): string {
  const [first, second] = scans;
  if (first !== undefined && second !== undefined && isSameSize(first, second)) {
    const top = Math.min(10, first.model.layerCount * first.model.headCount);
    const { top: shared } = compareScores(first, second, { top });
    return (
      `${shared.both.length} of the best ${top} heads of ${first.name} are also among those of ` +
      `${second.name} (p = ${shared.pValue.toPrecision(2)}).`
    );
  }
  return ablated.length > 0
    ? `Attack success in ${formatCounted(ablated.length, 'run')}.`
    : 'These runs have nothing that can be compared.';
}

const isSameSize = (a: ScoreFile, b: ScoreFile): boolean =>
  a.model.layerCount === b.model.layerCount && a.model.headCount === b.model.headCount;

function scanSections(scans: readonly NamedFile[]): Section[] {
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
      ],
      ...(pairs.length === 0 ? {} : { table: overlapTable(pairs) }),
    },
    ...(isOneUnit
      ? [{ heading: 'Distributions', figures: [scoreDistribution(scans), scoreDensity(scans)] }]
      : []),
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
      const top = Math.min(10, a.model.layerCount * a.model.headCount);
      const {
        top: shared,
        spearman,
        kendall,
        rankBiasedOverlap: rbo,
      } = compareScores(a, b, { top });
      const differences = scoreFileDifferences(a, b).join('; ');
      return {
        pair: { value: `${a.name}, ${b.name}`, note: differences || 'made in the same way' },
        shared: `${shared.both.length} of ${top}`,
        ...{ jaccard: shared.jaccard, p: shared.pValue, spearman, kendall, rbo },
      };
    }),
  };
}

function successSections(runs: readonly AblatedRun[]): Section[] {
  const groups = runs.map(({ name, evaluated: { intact, ablated } }) => ({
    name,
    shares: [intact, ablated].flatMap((arm) =>
      arm === undefined ? [] : [{ name: arm.arm === 'intact' ? 'intact' : 'ablated', ...arm.rate }],
    ),
  }));
  const curves = curvesOf(runs);
  const map = singleHeadMap(runs);
  return [
    {
      heading: 'Attack success',
      figures: [
        ...(map === null ? [successBars(groups)] : [map]),
        ...(curves.length === 0 ? [] : [successByHeadCount(curves)]),
      ],
    },
  ];
}

/** Runs that differ in the number of heads, model by model and ablation by ablation. */
function curvesOf(runs: readonly AblatedRun[]): SuccessCurve[] {
  const curves = new Map<string, AblatedRun[]>();
  for (const run of runs) {
    const { record } = run.contents;
    const { ablation, byPrompt, format } = (record.config.resolved ?? {}) as {
      readonly ablation?: { readonly kind?: string };
      readonly byPrompt?: unknown;
      readonly format?: string;
    };
    const own = Array.isArray(byPrompt) ? ', heads of each prompt' : '';
    const name = `${modelName(record)}, ${ablation?.kind ?? ''}${own}, ${format ?? 'template'}`;
    curves.set(name, [...(curves.get(name) ?? []), run]);
  }
  const within = runs.flatMap(({ name, evaluated }) =>
    evaluated.counted.length > 1 ? [successCurve(evaluated, name)] : [],
  );
  const between = [...curves].flatMap(([name, own]): SuccessCurve[] => {
    const counts = new Set(own.map(({ headCount }) => headCount));
    if (counts.size < 2) return [];
    const intact = own.find(({ evaluated }) => evaluated.intact !== undefined)?.evaluated.intact;
    const points = own.flatMap(({ headCount, evaluated: { ablated } }) =>
      ablated === undefined ? [] : [{ headCount, ...ablated.rate }],
    );
    const zero = intact === undefined ? [] : [{ headCount: 0, ...intact.rate }];
    return [{ name, points: [...zero, ...points].sort((a, b) => a.headCount - b.headCount) }];
  });
  return [...within, ...between];
}

/** A map of runs that each ablate one head; null for few of them. */
function singleHeadMap(runs: readonly AblatedRun[]): CaptionedFigure | null {
  const single = runs.filter(({ heads }) => heads.length === 1);
  if (single.length < FEWEST_SINGLE || single.length !== runs.length) return null;
  const { layerCount, headCount } = (single[0]!.contents.record.environment['model'] ?? {}) as {
    readonly layerCount?: number;
    readonly headCount?: number;
  };
  if (layerCount === undefined || headCount === undefined) return null;
  const changes = Array.from({ length: layerCount }, () =>
    Array.from({ length: headCount }, () => Number.NaN),
  );
  for (const { heads, evaluated } of single) {
    const { layer, head } = heads[0]!;
    const [before, after] = [evaluated.intact?.rate.share, evaluated.ablated?.rate.share];
    if (before !== undefined && after !== undefined) changes[layer]![head] = after - before;
  }
  return successMap(changes);
}
