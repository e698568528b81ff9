/**
 * The page that sets networks side by side: which agrees best with people, and what it costs.
 */
import { formatCounted, formatPercent, formatShare, readRunRecord } from '@lab/core';
import { differingSettings } from '@lab/llm/commands';
import type { CaptionedFigure, RunPage, Section, Table } from '@lab/report';
import { aggregationNames } from '../commands/result-text.js';
import { compareRuns } from '../compare-runs.js';
import type { WidedeepConfig } from '../config.js';
import type { EvaluateOptions } from '../evaluate.js';
import type { JudgeDifference } from '../verdict-metrics.js';
import { version } from '../version.js';
import {
  type ComparedNetwork,
  conflictFigure,
  costFigure,
  differenceFigure,
  kappaFigure,
  kappaOf,
  shapeFigure,
  type ShownNetwork,
  tokensOf,
} from './compare-figures.js';
import { classTable, groupSections } from './compare-tables.js';

/** The page of a comparison, for `writeRunPage`. */
export function comparePage(
  networks: readonly ComparedNetwork[],
  command: readonly string[],
  options: EvaluateOptions = {},
): RunPage {
  const [first] = networks;
  const shown = networks.map((network, at): ShownNetwork => {
    const record = readRunRecord(network.dir);
    const { settings } = (record.config.resolved ?? {}) as { settings?: WidedeepConfig };
    const isFirst = at === 0 || first === undefined;
    const difference = isFirst ? null : differenceOf(network, first, options);
    return { ...network, record, settings, difference };
  });
  const main = kappaFigure(shown);
  return {
    title: `${networks.length} networks on the same pairs`,
    eyebrow: 'widedeep-eval comparison',
    sentence: sentence(shown),
    numbers: shown.slice(0, 3).flatMap(({ name, evaluation: { agreement } }) => {
      if (agreement === null) return [];
      const { kappa } = agreement.overall;
      return [{ label: `${name}: kappa`, value: kappa.value, interval: kappa }];
    }),
    ...(main === null ? {} : { mainFigure: main }),
    sections: sectionsOf(shown),
    cost: [],
    settings: differingSettings(shown),
    files: shown[0]?.record.data ?? [],
    command: command.join(' '),
    environment: [{ label: 'package', value: `@lab/widedeep-eval ${version}` }],
    warnings: warningsOf(shown),
  };
}

function differenceOf(
  network: ComparedNetwork,
  first: ComparedNetwork,
  options: EvaluateOptions,
): JudgeDifference | null {
  const known = new Set(first.samples.map(({ id }) => id));
  const hasCommon = network.samples.some(({ id, gold }) => gold !== null && known.has(id));
  return hasCommon ? compareRuns(network.samples, first.samples, options) : null;
}

function sentence(shown: readonly ShownNetwork[]): string {
  const rated = shown.filter((one) => kappaOf(one) !== null);
  const [best] = rated.toSorted((a, b) => kappaOf(b)!.value - kappaOf(a)!.value);
  if (best === undefined) return 'No pair has a verdict of people: only the networks are compared.';
  const clear = rated.filter(
    ({ difference }) => difference !== null && difference.kappa.low * difference.kappa.high > 0,
  );
  return (
    `"${best.name}" agrees best with people, kappa ${formatShare(kappaOf(best)!.value)}; ` +
    `${clear.length} of ${rated.length - 1} are told apart from "${shown[0]!.name}".`
  );
}

function sectionsOf(shown: readonly ShownNetwork[]): Section[] {
  const figures = (all: readonly (CaptionedFigure | null)[]) =>
    all.filter((figure) => figure !== null);
  const [ways, classes] = [aggregationTable(shown), classTable(shown)];
  const sections: (Omit<Section, 'figures'> & { figures?: CaptionedFigure[] })[] = [
    {
      heading: 'Networks',
      figures: figures([differenceFigure(shown), costFigure(shown)]),
      table: networkTable(shown),
    },
    {
      heading: 'Depth and width',
      text: 'Networks that differ in one of them alone are on one line.',
      figures: figures([shapeFigure(shown, 'layers'), shapeFigure(shown, 'judges')]),
    },
    { heading: 'Order of the answers', figures: figures([conflictFigure(shown)]) },
    ...(ways === undefined ? [] : [{ heading: 'Ways to the verdict', table: ways }]),
    ...(classes === undefined ? [] : [{ heading: 'Verdicts of people', table: classes }]),
  ];
  const kept = sections.filter(
    ({ table, figures: own = [] }) => table !== undefined || own.length > 0,
  );
  return [...kept, ...groupSections(shown)];
}

function networkTable(shown: readonly ShownNetwork[]): Table {
  return {
    caption: 'Networks. ★ best.',
    columns: [
      { key: 'name', label: 'Run' },
      { key: 'network', label: 'Network' },
      { key: 'pairs', label: 'Pairs', kind: 'count' },
      { key: 'accuracy', label: 'Accuracy', kind: 'share', best: 'highest' },
      { key: 'kappa', label: 'Kappa', kind: 'share', best: 'highest' },
      { key: 'f1', label: 'Macro F1', kind: 'share', best: 'highest' },
      { key: 'calls', label: 'Calls a pair', kind: 'number', decimals: 1 },
      { key: 'tokens', label: 'Tokens a pair', kind: 'count' },
      { key: 'cost', label: 'USD', kind: 'number', decimals: 4 },
    ],
    rows: shown.map((one) => {
      const { network, agreement } = one.evaluation;
      const { accuracy, kappa, macro } = agreement?.overall ?? {};
      return {
        name: one.name,
        network: shapeText(one),
        pairs: network.samples,
        accuracy: accuracy === undefined ? null : { ...accuracy },
        kappa: kappa === undefined ? null : { ...kappa },
        f1: macro?.f1 ?? null,
        calls: network.calls / Math.max(1, network.samples),
        tokens: Math.round(tokensOf(one)),
        cost: network.costUsd,
      };
    }),
  };
}

function shapeText({ settings, record }: ShownNetwork): string {
  if (settings === undefined) return record.label;
  const { network, roles, judge } = settings;
  if (judge.kind !== 'model') return `rule: ${judge.kind}`;
  const angles = roles.kind === 'none' ? 'no angles' : `${roles.kind} angles`;
  const read = network.layers === 1 ? [] : [network.connectivity];
  const orders = network.bothOrders ? 'both orders' : 'one order';
  return [formatCounted(network.layers, 'layer'), angles, ...read, orders].join(', ');
}

function aggregationTable(shown: readonly ShownNetwork[]): Table | undefined {
  const rows = shown.flatMap(({ name, evaluation: { agreement } }) =>
    agreement === null
      ? []
      : [
          {
            name,
            ...Object.fromEntries(
              agreement.aggregations.map((one): [string, number] => [one.name, one.kappa]),
            ),
          },
        ],
  );
  if (rows.length === 0) return undefined;
  return {
    caption: 'Kappa by aggregation',
    columns: [
      { key: 'name', label: 'Run' },
      ...Object.entries(aggregationNames).map(
        ([key, label]) => ({ key, label, kind: 'share' }) as const,
      ),
    ],
    rows,
  };
}

function warningsOf(shown: readonly ShownNetwork[]): string[] {
  return shown.flatMap(({ name, difference, evaluation: { network }, record }) => [
    ...(record.label.startsWith('SIMULATED') ? [`${name} is SIMULATED.`] : []),
    ...(network.judged < network.samples
      ? [`${name}: ${formatPercent(1 - network.judged / network.samples)} without a verdict.`]
      : []),
    ...(difference !== null && difference.n < 100
      ? [`${name}: ${difference.n} pairs in common, hardly enough to tell.`]
      : []),
  ]);
}
