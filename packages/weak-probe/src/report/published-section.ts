/**
 * The section that sets a run beside the published chart.
 */
import { ConfigError, formatShare } from '@lab/core';
import type { CellValue, Section, Table } from '@lab/report';
import type { StateProbe } from '../explain.js';
import { publishedFigure } from '../figures/published-figures.js';
import { probeName } from '../figures/probe-figures.js';
import {
  conditionOf,
  type PublishedCurve,
  publishedCurves,
  publishedDifferences,
  type PublishedModel,
  publishedModelOf,
  publishedModels,
  type PublishedPoint,
} from '../published.js';
import type { ProbeResult } from '../probe-result.js';
import type { RunResults } from './read-run.js';

/** The model of the chart that a name stands for; null for `none`. */
export function namedModel(name: string): PublishedModel | null {
  if (name === 'none') return null;
  const found = publishedModels.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  throw new ConfigError(`weak-probe/report: the chart has no model ${name}.`, {
    help: `There are ${publishedModels.map((one) => one.name).join(', ')}; or give none.`,
  });
}

/**
 * A run beside the chart, for a model that the chart has; else nothing.
 *
 * @param named - model of the chart; default the one that the run's folder is called after.
 * @throws {ConfigError} where a named model has another number of blocks.
 */
export function publishedSections(
  { probes, collection }: Pick<RunResults, 'collection' | 'probes'>,
  named?: PublishedModel | null,
): Section[] {
  const { about } = collection.store;
  const of = named === undefined ? publishedModelOf(about.model.path) : named;
  if (probes === null || of === null) return [];
  if (about.model.layerCount !== of.layerCount) {
    if (named === undefined) return [];
    throw new ConfigError(
      `weak-probe/report: ${of.name} has ${of.layerCount} blocks, the run ` +
        `${about.model.layerCount}.`,
      { help: 'Name the model that the states are of, or none.' },
    );
  }
  const condition = conditionOf(about.format);
  const kinds = new Set(probes.states.flatMap((one) => one.probes.map(({ probe }) => probe)));
  const curves = publishedCurves(of, condition).filter(({ probe }) => kinds.has(probe));
  if (curves.length === 0) return [];
  const name = `${of.name}, ${condition}`;
  const differences = publishedDifferences({ probes, about, config: collection.config });
  return [
    {
      heading: 'Beside the published chart',
      text:
        `${name}. Numbers of the SVM were read off a chart by eye, to .003 where it is flat and ` +
        '.01 where it is steep; those of the MLP are ranges. ' +
        (differences.length === 0
          ? 'The settings of this run are those of the chart; whether its prompts are is not known.'
          : `Not the settings of the chart: ${differences.join('; ')}.`),
      figures: curves.map((curve) => publishedFigure({ states: probes.states, curve, name })),
      table: publishedTable(probes, curves),
    },
  ];
}

function publishedTable({ states }: ProbeResult, curves: readonly PublishedCurve[]): Table {
  const rows = curves.flatMap(({ probe, points }) =>
    points.flatMap((point) => {
      const report = states.find(({ state }) => state === point.state);
      const own = report?.probes.find((one) => one.probe === probe);
      return own === undefined ? [] : [rowOf(point, own)];
    }),
  );
  return {
    caption: 'Small print: between what the published value was read; 95 % of this run; difference',
    columns: [
      { key: 'name', label: 'Probe' },
      { key: 'published', label: 'Published', kind: 'share' },
      { key: 'own', label: 'This run', kind: 'share' },
    ],
    rows,
  };
}

function rowOf(point: PublishedPoint, own: StateProbe): Record<string, CellValue> {
  const { low, high } = own.interval;
  const isMet = low <= point.high && high >= point.low;
  const difference = own.accuracy - point.accuracy;
  const sign = difference < 0 ? '−' : '+';
  const verdict = isMet ? 'within' : difference > 0 ? 'above' : 'below';
  return {
    name: `${probeName(own.probe)}, state ${point.state}`,
    published: {
      value: point.accuracy,
      note: `read ${formatShare(point.low)} to ${formatShare(point.high)}`,
    },
    own: {
      ...{ value: own.accuracy, low, high },
      note: `${verdict}, ${sign}${formatShare(Math.abs(difference))}`,
    },
  };
}
