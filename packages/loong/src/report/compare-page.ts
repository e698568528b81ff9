/**
 * The page that sets runs side by side.
 */
import { formatShare, readRunRecord } from '@lab/core';
import { differingSettings } from '@lab/llm/commands';
import {
  type CaptionedFigure,
  forestPlot,
  type RunPage,
  type Section,
  type Table,
} from '@lab/report';
import type { Comparison, PairedScores, RunPair } from '../compare.js';
import type { ScoredRecord } from '../scored-record.js';
import { version } from '../version.js';
import { settingsOfRun } from '../read-run.js';
import { levels, shortTaskNames, taskNames } from '../tasks.js';
import { perfectFigure, runsBySetFigure, runsHeatmap } from './figures.js';
import {
  publishedGainsSection,
  publishedRetrievalSection,
  retrievalSections,
} from './retrieval.js';
import { isWholeLoong, scriptedWarnings } from './run-page.js';

/** A run of a comparison with its questions. */
export interface ComparedFolder {
  readonly name: string;
  readonly dir: string;
  readonly scored: readonly ScoredRecord[];
}

/** The page of a comparison, for `writeRunPage`. */
export function comparePage(
  comparison: Comparison,
  folders: readonly ComparedFolder[],
  command: readonly string[],
): RunPage {
  const runs = comparison.runs.map(({ name, evaluation }, index) => ({
    ...{ name, evaluation, scored: folders[index]!.scored },
    retrieval: retrievalOf(folders[index]!.dir),
  }));
  const main = runsBySetFigure(runs) ?? runsHeatmap(runs);
  return {
    title: `${runs.length} runs on the same questions`,
    eyebrow: 'loong comparison',
    sentence: sentence(comparison),
    numbers: runs.slice(0, 3).map(({ name, evaluation: { overall } }) => ({
      label: `${name}: average score`,
      value: overall.averageScore?.value.toFixed(1) ?? 'none',
      ...(overall.averageScore === null
        ? {}
        : {
            interval:
              `95 %: ${overall.averageScore.low.toFixed(1)} to ` +
              overall.averageScore.high.toFixed(1),
          }),
    })),
    mainFigure: main,
    sections: sectionsOf(comparison, runs, main),
    cost: [],
    settings: differingSettings(
      folders.map(({ name, dir }) => ({ name, settings: readRunRecord(dir).config.resolved })),
    ),
    files: readRunRecord(folders[0]!.dir).data,
    command: command.join(' '),
    environment: [{ label: 'package', value: `@lab/loong ${version}` }],
    warnings: [
      ...scriptedWarnings(folders.map(({ dir }) => readRunRecord(dir))),
      ...comparison.pairs.flatMap(({ first, second, overall }) =>
        overall.n < 30
          ? [`${first} and ${second} have ${overall.n} common questions: hardly enough to tell.`]
          : [],
      ),
    ],
  };
}

function sentence({ pairs }: Comparison): string {
  return pairs.map((pair) => pairSentence(pair)).join(' ');
}

/** What the prompts of a run were made of, where that is not whole documents. */
function retrievalOf(dir: string) {
  const { retriever, settings } = settingsOfRun(dir);
  return retriever === null ? null : { retriever, topK: settings.rag.topK };
}

/** A pair in one sentence, with how sure it is. */
export function pairSentence({ first, second, overall }: RunPair): string {
  const { difference, n } = overall;
  if (difference === null) return `${first} and ${second} have no scored question in common.`;
  const { estimate, low, high, pValue } = difference;
  const ends = `95 %: ${low.toFixed(1)} to ${high.toFixed(1)}, p = ${pText(pValue)}`;
  if (low <= 0 && high >= 0) {
    return `${first} and ${second} are not told apart on ${n} questions (${ends}).`;
  }
  const [better, worse] = estimate > 0 ? [first, second] : [second, first];
  const more = Math.abs(estimate).toFixed(1);
  return `${better} scores ${more} more than ${worse} on ${n} questions (${ends}).`;
}

const pText = (pValue: number): string => (pValue < 0.001 ? '< .001' : formatShare(pValue));

type NamedRuns = Parameters<typeof retrievalSections>[0];

function sectionsOf(
  { pairs, runs }: Comparison,
  named: NamedRuns,
  main: CaptionedFigure,
): Section[] {
  const heat = runsHeatmap(named);
  const retrieval = retrievalSections(named);
  const isWhole = named.every(({ scored }) => isWholeLoong(scored));
  return [
    {
      heading: 'Results',
      figures: main.figure.title === heat.figure.title ? [] : [heat],
      table: resultsTable(runs),
    },
    ...pairs.map((pair) => ({
      heading: `${pair.first} against ${pair.second}`,
      text: `${pairSentence(pair)} Differences are those of the same question, first minus second.`,
      figures: [pairFigure(pair)],
      table: pairTable(pair),
    })),
    ...retrieval,
    ...(isWhole ? [{ heading: 'Beside the paper', figures: [perfectFigure(runs)] }] : []),
    ...(isWhole && retrieval.length > 0
      ? [publishedRetrievalSection(), publishedGainsSection()]
      : []),
  ];
}

function resultsTable(runs: Comparison['runs']): Table {
  const [first] = runs;
  const sets = first?.evaluation.bySet.map(({ name }) => name) ?? [];
  const tasks = first?.evaluation.byLevel.map(({ name }) => name) ?? [];
  const short = (name: string) =>
    shortTaskNames[levels.find((level) => taskNames[level] === name) ?? 1];
  // As many columns as fit beside each other: one decimal, and tasks in one word.
  const column = (key: string, label: string) =>
    ({ key, label, kind: 'number', decimals: 1 }) as const;
  return {
    caption: 'Average score, and perfect rate of all. ★ best.',
    columns: [
      { key: 'name', label: 'Run' },
      { ...column('all', 'all'), best: 'highest' },
      { key: 'perfect', label: 'perfect', kind: 'share', best: 'highest' },
      ...tasks.map((name) => column(name, short(name))),
      ...sets.map((name) => column(name, name)),
    ],
    rows: runs.map(({ name, evaluation: { overall, byLevel, bySet } }) => ({
      name,
      all: overall.averageScore === null ? null : { ...overall.averageScore },
      perfect: overall.perfectRate === null ? null : { ...overall.perfectRate },
      ...Object.fromEntries(
        [...byLevel, ...bySet].map((group) => [group.name, group.averageScore?.value ?? null]),
      ),
    })),
  };
}

const partsOf = ({ overall, byLevel, bySet }: RunPair): PairedScores[] => [
  overall,
  ...byLevel,
  ...bySet,
];

function pairFigure(pair: RunPair): CaptionedFigure {
  const rows = partsOf(pair).flatMap(({ name, n, difference }) =>
    difference === null
      ? []
      : [
          {
            label: `${name} (n = ${n})`,
            estimate: difference.estimate,
            low: difference.low,
            high: difference.high,
          },
        ],
  );
  return {
    figure: forestPlot({
      title: `${pair.first} minus ${pair.second}`,
      value: { label: 'difference of average scores' },
      rows,
    }),
    caption: 'An interval without 0 tells the two apart; 95 %, paired bootstrap.',
  };
}

function pairTable(pair: RunPair): Table {
  return {
    caption: 'Paired differences',
    columns: [
      { key: 'name', label: 'Questions' },
      { key: 'n', label: 'n', kind: 'count' },
      { key: 'difference', label: 'Difference', kind: 'number', decimals: 2 },
      { key: 'p', label: 'p', kind: 'share' },
      { key: 'onlyFirst', label: `Perfect by ${pair.first} alone`, kind: 'count' },
      { key: 'onlySecond', label: `Perfect by ${pair.second} alone`, kind: 'count' },
      { key: 'mcnemar', label: 'p of these', kind: 'share' },
    ],
    rows: partsOf(pair).map(({ name, n, difference, perfect }) => ({
      ...{ name, n },
      difference:
        difference === null
          ? null
          : { value: difference.estimate, low: difference.low, high: difference.high },
      p: difference === null ? null : pText(difference.pValue),
      onlyFirst: perfect?.onlyFirst ?? null,
      onlySecond: perfect?.onlySecond ?? null,
      mcnemar: perfect === null ? null : pText(perfect.pValue),
    })),
  };
}
