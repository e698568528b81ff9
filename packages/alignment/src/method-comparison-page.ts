/**
 * The page that lays methods side by side.
 */
import { formatCount, formatPercent, formatShare } from '@lab/core';
import {
  barPlot,
  type CaptionedFigure,
  createSeriesColors,
  linePlot,
  meanCell,
  type RunPage,
  type Table,
} from '@lab/report';
import type { AlignmentTask } from './data.js';
import { type Measure, measuredApart } from './measured-apart.js';
import { shareSpread } from './experiment/results.js';
import { baselineLabel, type ComparedCell } from './method-comparison.js';

/** What the page says beside the numbers. */
export interface ComparisonPageInput {
  readonly task: Pick<AlignmentTask, 'data' | 'split'>;
  readonly cells: readonly ComparedCell[];
  readonly seeds: readonly number[];
  /** The exact command that made the numbers. */
  readonly command: string;
  /** How each contestant was trained, in words, e.g. `LoginMEA: 60 epochs`. */
  readonly conditions: readonly string[];
  /** What the reader must know before the numbers. */
  readonly warnings?: readonly string[] | undefined;
}

const METRICS = ['H@1', 'H@10', 'MRR', 'H@1 backward'] as const;

const studies = {
  'few-seeds': {
    heading: 'Few seeds',
    axis: 'seed pairs, % of links',
    caption: 'The same test pairs throughout.',
  },
  'faulty-rows': {
    heading: 'Faulty rows',
    axis: 'attribute and relation rows of other entities, %',
    caption: 'A method that cannot tell whose rows are wrong loses by evidence that is not there.',
  },
} as const;

/** Methods beside the baseline: a figure and a table for each study. */
export function methodComparisonPage(input: ComparisonPageInput): RunPage {
  const { task, cells, seeds, command, conditions, warnings = [] } = input;
  const labels = [...new Set(cells.map(({ label }) => label))];
  const colors = createSeriesColors(labels);
  const present = (['few-seeds', 'faulty-rows'] as const).filter((name) =>
    cells.some(({ study }) => study === name),
  );
  const figures = present.map((name) => studyFigure(name, cells, { labels, colors }));
  return {
    title: `Methods side by side on ${task.data.name}`,
    eyebrow: `entity alignment, ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`,
    sentence: sentence(cells, task),
    numbers: bigNumbers(cells),
    ...(figures[0] === undefined ? {} : { mainFigure: figures[0] }),
    sections: present.map((name, at) => ({
      heading: studies[name].heading,
      ...(at === 0 ? {} : { figures: [figures[at]!] }),
      table: studyTable(name, cells),
    })),
    cost: [
      { label: 'entities', value: formatCount(task.data.entityCount) },
      { label: 'test pairs', value: formatCount(task.split.test.length / 2) },
      { label: 'trainings', value: formatCount(cells.length * seeds.length) },
    ],
    settings: [],
    files: task.data.files,
    command,
    environment: conditions.map((value) => ({ label: 'trained', value })),
    warnings: [...warnings, ...apart(cells)],
  };
}

/** Where the methods, or the baseline beside them, were not measured alike. */
function apart(cells: readonly ComparedCell[]): string[] {
  const values = (of: readonly ComparedCell[], setting: keyof Measure) =>
    new Map(of.map(({ label, measure }) => [label, measure[setting]]));
  const methods = cells.filter(({ label }) => label !== baselineLabel);
  return [
    ...measuredApart('candidates', values(cells, 'candidates')),
    ...measuredApart('scores', values(methods, 'scores')),
  ];
}

/** Cells of a study where it has most seeds or no fault. */
function bestPlace(cells: readonly ComparedCell[]): ComparedCell[] {
  const few = cells.filter(({ study }) => study === 'few-seeds');
  const most = Math.max(...few.map(({ x }) => x));
  return few.filter(({ x }) => x === most);
}

function sentence(cells: readonly ComparedCell[], { split }: Pick<AlignmentTask, 'split'>): string {
  const ranked = bestPlace(cells).toSorted((a, b) => b.row.mean['H@1']! - a.row.mean['H@1']!);
  const [first, ...others] = ranked;
  if (first === undefined) return 'Nothing was compared.';
  const place = `With ${first.x.toFixed(0)} % of the links as seeds`;
  const rest = others.map(({ label, row }) => `${label} ${formatPercent(row.mean['H@1']!)}`);
  return (
    `${place}, ${first.label} ranks the true counterpart of ` +
    `${formatCount(split.test.length / 2)} test entities first in ` +
    `${formatPercent(first.row.mean['H@1']!)}; ${rest.join('; ')}.`
  );
}

function bigNumbers(cells: readonly ComparedCell[]): RunPage['numbers'] {
  const place = bestPlace(cells);
  const floor = place.find(({ label }) => label === baselineLabel)?.row.mean['H@1'];
  return place
    .filter(({ label }) => label !== baselineLabel)
    .map(({ label, row }) => {
      const { value, low, high } = shareSpread(row.values['H@1']!);
      return {
        label: `H@1, ${label}`,
        value,
        ...(low === undefined || high === undefined ? {} : { interval: { low, high } }),
        ...(floor === undefined ? {} : { reference: `baseline ${formatShare(floor)}` }),
      };
    });
}

interface Lines {
  readonly labels: readonly string[];
  readonly colors: ReturnType<typeof createSeriesColors>;
}

function studyFigure(
  name: ComparedCell['study'],
  cells: readonly ComparedCell[],
  { labels, colors }: Lines,
): CaptionedFigure {
  const { heading, axis, caption: words } = studies[name];
  const own = cells.filter(({ study }) => study === name);
  const runs = Math.max(...own.map(({ row }) => row.values['H@1']!.length));
  const isLine = new Set(own.map(({ x }) => x)).size > 1;
  const shown = isLine ? 'Bands' : 'Whiskers';
  const caption =
    runs > 1
      ? `${words} ${shown} are 95 % intervals of the mean over ${runs} seeds.`
      : `${words} One seed: no interval.`;
  const title = `${heading}: H@1`;
  if (!isLine) {
    const bars = own.map(({ label, row }) => ({
      ...{ label, series: label },
      ...shareSpread(row.values['H@1']!),
    }));
    return {
      figure: barPlot({ title, value: { label: 'H@1', format: 'share' }, bars, colors }),
      caption,
    };
  }
  const lines = labels.map((label) => ({
    name: label,
    points: own
      .filter((cell) => cell.label === label)
      .map(({ x, row }) => {
        const { value: y, ...interval } = shareSpread(row.values['H@1']!);
        return { x, y, ...interval };
      }),
  }));
  return {
    figure: linePlot({
      title,
      x: { label: axis, hasZero: true },
      y: { label: 'H@1', format: 'share' },
      series: lines.filter(({ points }) => points.length > 0),
      colors,
    }),
    caption,
  };
}

/** One row per contestant and place. */
export function studyTable(name: ComparedCell['study'], cells: readonly ComparedCell[]): Table {
  return {
    columns: [
      { key: 'method', label: 'method' },
      { key: 'place', label: studies[name].axis, kind: 'number', decimals: 0 },
      ...METRICS.map((key) => ({ key, label: key, kind: 'share' as const })),
    ],
    rows: cells
      .filter(({ study }) => study === name)
      .map(({ label, x, row }) => ({
        method: label,
        place: x,
        ...Object.fromEntries(METRICS.map((key) => [key, meanCell(row.values[key]!)])),
      })),
  };
}
