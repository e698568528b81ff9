/**
 * What the page of a run shows.
 */
import {
  canonicalJson,
  formatCount,
  formatPercent,
  formatShare,
  readRunRecord,
  resolveConfig,
  type RunRecord,
} from '@lab/core';
import type {
  BigNumber,
  CaptionedFigure,
  Example,
  RunPage,
  Section,
  SettingRow,
  Table,
} from '@lab/report';
import { aggregationNames, stopText } from '../commands/result-text.js';
import { widedeepConfig } from '../config.js';
import type { Agreement, Evaluation } from '../evaluate.js';
import { judgedFloors } from '../floors.js';
import type { JudgedSample } from '../judged-sample.js';
import { presets } from '../presets.js';
import { version } from '../version.js';
import {
  confusionFigure,
  depthFigure,
  groupFigure,
  marginFigure,
  positionSentence,
  rolesFigure,
  widthFigure,
} from './run-figures.js';
import { rolesByDataset } from './role-table.js';

/** What a run found. */
export interface ReportFacts {
  readonly samples: readonly JudgedSample[];
  readonly evaluation: Evaluation;
}

/** The page of a run, for `writeRunPage`. */
export function runPage(dir: string, facts: ReportFacts, examples: readonly Example[]): RunPage {
  const record = readRunRecord(dir);
  const { agreement } = facts.evaluation;
  const main = mainFigure(facts);
  return {
    title: record.label,
    eyebrow: `widedeep-eval run of ${record.start.slice(0, 10)}, ${record.id}`,
    sentence: sentence(facts.evaluation),
    numbers: numbersOf(facts.evaluation),
    ...(main === null ? {} : { mainFigure: main }),
    ...(agreement === null ? {} : { comparison: floorComparison(agreement, facts.samples) }),
    sections: sectionsOf(facts, main, tauOf(record)),
    ...(examples.length === 0
      ? {}
      : {
          examples: {
            text:
              `${agreement === null ? 'Without verdicts of people none is right or wrong. ' : ''}` +
              `"widedeep-eval report ${dir} --sample ID" writes the page of one pair.`,
            items: examples,
          },
        }),
    cost: costFacts(facts.evaluation, record),
    settings: settingRows(record),
    files: record.data,
    command: record.command.length === 0 ? 'started by a program' : record.command.join(' '),
    environment: [
      { label: 'package', value: `@lab/widedeep-eval ${version}` },
      { label: 'Node', value: String(record.environment['node'] ?? '') },
    ],
    warnings: warningsOf(facts.evaluation, record),
  };
}

function tauOf(record: RunRecord): number {
  const { settings } = (record.config.resolved ?? {}) as {
    readonly settings?: { readonly aggregation?: { readonly tau?: number } };
  };
  return settings?.aggregation?.tau ?? 0;
}

function mainFigure({ evaluation, samples }: ReportFacts): CaptionedFigure | null {
  const { agreement } = evaluation;
  if (agreement === null) return rolesFigure(evaluation.network);
  return (
    groupFigure('Agreement by data set', agreement.byDataset) ??
    marginFigure(samples) ??
    confusionFigure(agreement)
  );
}

function sentence({ network, agreement }: Evaluation): string {
  const judged = `${formatCount(network.judged)} of ${formatCount(network.samples)} pairs judged`;
  if (agreement === null) return `${judged}; no verdicts of people to compare with.`;
  const { accuracy, kappa } = agreement.overall;
  return (
    `${judged}; the verdict is that of people for ${formatPercent(accuracy.value)} of those they ` +
    `decided, kappa ${formatShare(kappa.value)}.`
  );
}

function numbersOf({ network, agreement }: Evaluation): BigNumber[] {
  const { conflictRate, firstPreference } = network.position;
  const order: BigNumber = {
    label: 'Verdicts that change with the order',
    value: conflictRate === null ? 'n/a' : formatPercent(conflictRate),
    ...(firstPreference === null
      ? {}
      : { interval: `${formatPercent(firstPreference)} of preferences go to what is first` }),
  };
  if (agreement === null) {
    const judged = { label: 'Pairs judged', value: formatCount(network.judged) };
    return [judged, order];
  }
  const { accuracy, kappa } = agreement.overall;
  return [
    { label: 'Accuracy', value: accuracy.value, interval: accuracy, reference: chance(agreement) },
    { label: "Cohen's kappa", value: kappa.value, interval: kappa, reference: 'chance .000' },
    order,
  ];
}

/** The accuracy of always giving the most frequent verdict. */
function chance({ overall }: Agreement): string {
  const most = Math.max(...overall.confusion.map((row) => row.reduce((sum, n) => sum + n, 0)));
  return `most frequent verdict ${formatShare(most / overall.n)}`;
}

function floorComparison({ overall }: Agreement, samples: readonly JudgedSample[]) {
  const { accuracy, kappa } = overall;
  const share = { kind: 'share', best: 'highest' } as const;
  return {
    text: 'Floors read nothing of the answers: a judge below one of them is broken.',
    metrics: [
      { key: 'accuracy', label: 'accuracy', ...share },
      { key: 'kappa', label: 'kappa', ...share },
    ],
    rows: [
      { label: 'network', source: 'ours' as const, values: { accuracy, kappa } },
      ...judgedFloors(samples).map((floor) => ({
        label: floor.name,
        source: 'baseline' as const,
        values: { accuracy: floor.accuracy, kappa: floor.kappa },
      })),
    ],
  };
}

function sectionsOf(
  { samples, evaluation }: ReportFacts,
  main: CaptionedFigure | null,
  tau: number,
): Section[] {
  const { network, agreement } = evaluation;
  const figures = (found: readonly (CaptionedFigure | null)[]): CaptionedFigure[] =>
    found.filter(
      (one): one is CaptionedFigure => one !== null && one.figure.title !== main?.figure.title,
    );
  const sections: Section[] = [];
  if (agreement !== null) {
    sections.push({
      heading: 'Agreement with people',
      figures: figures([
        confusionFigure(agreement),
        marginFigure(samples),
        groupFigure('Agreement by category', agreement.byCategory),
        groupFigure('Agreement by ability', agreement.byAbility),
      ]),
      table: aggregationTable(agreement),
    });
    sections.push({
      heading: 'Width and depth',
      ...stopSentence(network),
      figures: figures([widthFigure(samples, tau), depthFigure(samples, tau)]),
    });
  }
  sections.push({ heading: 'Order of the answers', text: positionSentence(network) });
  const angles = rolesByDataset(samples);
  sections.push({
    heading: 'Angles',
    figures: figures([rolesFigure(network)]),
    ...(angles === undefined ? {} : { table: angles }),
  });
  return sections.filter(
    ({ figures: drawn, table, text }) =>
      (drawn !== undefined && drawn.length > 0) || table !== undefined || text !== undefined,
  );
}

function stopSentence({ earlyStop }: Evaluation['network']): { text?: string } {
  if (earlyStop === null) return {};
  const { unanimous } = earlyStop;
  return {
    text:
      `All judges agree from the start on ${formatPercent(unanimous)} of pairs; to leave out ` +
      `their discussion (network.earlyStop) would ${stopText(earlyStop)}.`,
  };
}

function aggregationTable({ aggregations }: Agreement): Table {
  return {
    caption: 'The four ways from scores to a verdict',
    columns: [
      { key: 'name', label: 'Aggregation' },
      { key: 'accuracy', label: 'accuracy', kind: 'share', best: 'highest' },
      { key: 'kappa', label: 'kappa', kind: 'share', best: 'highest' },
    ],
    rows: aggregations.map(({ name, accuracy, kappa }) => ({
      name: aggregationNames[name],
      accuracy,
      kappa,
    })),
  };
}

function costFacts({ network }: Evaluation, record: RunRecord) {
  const each = (value: number) => formatCount(value / Math.max(1, network.samples));
  const seconds = (Date.parse(record.end ?? '') - Date.parse(record.start)) / 1000;
  const { costUsd, calls, tokens } = network;
  return [
    { label: 'cost', value: costUsd === null ? 'n/a' : `${costUsd.toFixed(4)} USD` },
    { label: 'calls', value: `${formatCount(calls)}, ${each(calls)} a pair` },
    { label: 'tokens in', value: `${formatCount(tokens.in)}, ${each(tokens.in)} a pair` },
    { label: 'tokens out', value: `${formatCount(tokens.out)}, ${each(tokens.out)} a pair` },
    {
      label: 'from start to end',
      value: Number.isFinite(seconds) ? `${seconds.toFixed(1)} s` : '',
    },
  ];
}

/** The settings, each with its origin: default, mode, preset, or the run itself. */
function settingRows({ config }: RunRecord): SettingRow[] {
  const resolved = (config.resolved ?? {}) as Readonly<Record<string, unknown>>;
  const head = ['model', 'server', 'mode', 'preset'].map((path) => ({
    path,
    value: resolved[path] ?? 'none',
    origin: 'given',
  }));
  return [...head, ...leaves(resolved['settings']).map((leaf) => withOrigin(leaf, resolved))];
}

interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

function leaves(settings: unknown): Leaf[] {
  return Object.entries((settings ?? {}) as Readonly<Record<string, unknown>>).flatMap(
    ([topic, fields]) =>
      typeof fields === 'object' && fields !== null
        ? Object.entries(fields).map(([name, value]: [string, unknown]) => ({
            path: `${topic}.${name}`,
            value,
          }))
        : [{ path: topic, value: fields }],
  );
}

function withOrigin(leaf: Leaf, resolved: Readonly<Record<string, unknown>>): SettingRow {
  const [mode, preset] = ['mode', 'preset'].map((name) => {
    const value = resolved[name];
    return typeof value === 'string' ? value : undefined;
  });
  const isKnown = preset === undefined || Object.hasOwn(presets, preset);
  const usual = resolveConfig(widedeepConfig, isKnown ? { mode, preset } : { mode });
  const known = leaves(usual.config).find(({ path }) => path === leaf.path);
  const isUsual = canonicalJson(known?.value ?? null) === canonicalJson(leaf.value ?? null);
  return {
    ...leaf,
    origin: isUsual ? (usual.origins[leaf.path] ?? 'default') : 'set for this run',
  };
}

function warningsOf({ network }: Evaluation, record: RunRecord): string[] {
  const unjudged = network.samples - network.judged;
  const problems = Object.entries(network.problems);
  return [
    ...(record.label.startsWith('SIMULATED')
      ? ['Pairs and judges are SIMULATED: nothing here says anything about a model.']
      : []),
    ...(unjudged === 0 ? [] : [`${formatCount(unjudged)} pairs have no verdict.`]),
    ...problems.map(
      ([name, count]) => `${formatCount(count ?? 0)} answers without scores: ${name}.`,
    ),
    ...Object.entries(network.flags).map(
      ([flag, count]) => `${formatCount(count)} pairs: ${flag}.`,
    ),
    ...(record.error === null ? [] : [record.error.message]),
  ];
}
