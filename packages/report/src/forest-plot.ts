import * as Plot from '@observablehq/plot';
import { type Axis, axisDomain, axisLabel, valueWriter } from './axis.js';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { valueAxisMarks } from './plot-axes.js';
import { type Frame, renderFigure } from './render-figure.js';
import { groundColor, seriesColor } from './palette.js';
import { rowLabels, textWidth } from './series-labels.js';

/** A row of a forest plot: an estimate and the ends of its 95 % interval. */
export interface ForestRow {
  readonly label: string;
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** What a forest plot shows. */
export interface ForestPlotSpec {
  readonly title: string;
  readonly description?: string;
  readonly value: Axis;
  readonly rows: readonly ForestRow[];
  /** Where "no difference" is; default 0. */
  readonly reference?: number;
  readonly width?: number;
}

/** Estimates with 95 % intervals around a line of no difference; clear rows are filled. */
export function forestPlot(spec: ForestPlotSpec): Figure {
  const write = writerOf(spec);
  const reference = spec.reference ?? 0;
  const clear = spec.rows.filter((row) => isClear(row, reference));
  return renderFigure({
    title: spec.title,
    description:
      spec.description ??
      `Differences in ${axisLabel(spec.value)} with 95 % intervals; ${clear.length} of ` +
        `${spec.rows.length} exclude ${write(reference)}. ${spec.rows
          .map(({ label, estimate, low, high }) => {
            return `${label}: ${write(estimate)} (${write(low)} to ${write(high)})`;
          })
          .join('; ')}.`,
    csv: csvText(
      ['name', axisLabel(spec.value), 'low', 'high'],
      spec.rows.map(({ label, estimate, low, high }) => [label, estimate, low, high]),
    ),
    draw: (frame) => drawForest(spec, reference, frame),
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

function writerOf({ value, rows }: ForestPlotSpec): (value: number) => string {
  return valueWriter(
    value,
    rows.flatMap(({ estimate, low, high }) => [estimate, low, high]),
  );
}

/** What stands beside a row: its estimate, and on wide screens the ends of its interval. */
function rowText(spec: ForestPlotSpec, frame: Frame): (row: ForestRow) => string {
  const write = writerOf(spec);
  return ({ estimate, low, high }) =>
    frame.isNarrow ? write(estimate) : `${write(estimate)}  [${write(low)}, ${write(high)}]`;
}

function isClear({ low, high }: ForestRow, reference: number): boolean {
  return low > reference || high < reference;
}

function drawForest(spec: ForestPlotSpec, reference: number, frame: Frame): Plot.PlotOptions {
  const labels = spec.rows.map(({ label }) => label);
  const names = rowLabels(labels, frame);
  const text = rowText(spec, frame);
  const widest = spec.rows.reduce((most, row) => Math.max(most, textWidth(text(row))), 0);
  const ends = spec.rows.flatMap(({ low, high }) => [low, high]);
  const domain = axisDomain(spec.value, [...ends, reference]);
  return {
    width: frame.width,
    height: labels.length * (30 + names.above) + 56,
    marginTop: 12 + names.above / 2,
    marginRight: Math.max(frame.isNarrow ? 58 : 150, Math.ceil(widest) + 16),
    marginBottom: 42,
    marginLeft: names.marginLeft,
    x: { domain },
    y: { domain: labels, axis: null },
    marks: [
      ...valueAxisMarks({ axis: spec.value, domain, count: frame.isNarrow ? 4 : 7 }),
      Plot.ruleX([reference], { stroke: groundColor('ink') }),
      ...names.marks(),
      ...rowMarks(spec, reference, frame),
    ],
  };
}

function rowMarks(spec: ForestPlotSpec, reference: number, frame: Frame): Plot.Markish[] {
  const { rows } = spec;
  const color = seriesColor(0);
  const write = writerOf(spec);
  return [
    Plot.ruleY(rows, { y: 'label', x1: 'low', x2: 'high', stroke: color, strokeWidth: 2 }),
    Plot.dot(rows, {
      y: 'label',
      x: 'estimate',
      r: 5,
      stroke: color,
      strokeWidth: 2,
      fill: (row: ForestRow) => (isClear(row, reference) ? color : groundColor('surface')),
      title: (row: ForestRow) =>
        `${row.label}: ${write(row.estimate)}, 95 %: ${write(row.low)} to ${write(row.high)}`,
    }),
    Plot.text(rows, {
      y: 'label',
      frameAnchor: 'right',
      text: rowText(spec, frame),
      dx: 10,
      textAnchor: 'start',
      fill: groundColor('ink'),
      fontVariant: 'tabular-nums',
    }),
  ];
}
