/**
 * The page of a run: the result first, then how it came about.
 */
import {
  explainConfig,
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatPercent,
  formatShare,
  type ResolvedConfig,
  type RunRecord,
} from '@lab/core';
import { wilson } from '@lab/metrics';
import type {
  BigNumber,
  CaptionedFigure,
  Example,
  ExampleSet,
  RunPage,
  Section,
} from '@lab/report';
import { automaticWarnings, isAutomatic } from './automatic-seeds.js';
import type { PairAnalysis } from './analysis.js';
import type { FittedConfidence, RunSummary } from './run-summary.js';
import type { AlignmentConfig, Modality } from './config-fields.js';
import type { AlignmentMetrics } from './alignment-metrics.js';
import type { EvidenceThresholds } from './evidence/evidence.js';
import { modalityWords } from './experiment/cell.js';
import { confidenceFigure, metricsFigure, pairFigures, pseudoSeedFigure } from './figures.js';
import type { EpochRecord } from './epoch-record.js';
import type { AlignmentMethod } from './method.js';
import { PEAK_MEMORY } from './peak-memory.js';
import type { TrainResult } from './training-options.js';

/** Everything that the page is made of. */
export interface RunPageInput<C extends AlignmentConfig = AlignmentConfig> {
  readonly trained: TrainResult;
  readonly summary: RunSummary;
  readonly epochs: readonly EpochRecord[];
  readonly pairs: readonly PairAnalysis[];
  readonly confidence: FittedConfidence | null;
  /** Of the model's uncertainty, for an axis. */
  readonly uncertaintyLabel?: string | undefined;
  /** The method's own, between confidence and pseudo seeds. */
  readonly sections: readonly Section[];
  readonly config: ResolvedConfig<C>;
  readonly seconds: number;
  readonly record: RunRecord;
}

/** Right and wrong examples on the page, each. */
const EXAMPLES = 10;

/** The run as a page for `writeRunPage`. */
export function runPage<C extends AlignmentConfig>(
  method: AlignmentMethod<C>,
  input: RunPageInput<C>,
): RunPage {
  const { trained, summary, epochs, config, record } = input;
  const main = metricsFigure(epochs, summary);
  const examples = exampleSet(input);
  return {
    title: `${method.title} on ${trained.task.data.name}`,
    eyebrow: `${method.name} run of ${record.start.slice(0, 10)}, mode ${config.mode}`,
    sentence: sentence(summary),
    numbers: bigNumbers(summary),
    ...(main === null ? {} : { mainFigure: main }),
    ...(summary.metrics === null
      ? {}
      : { comparison: comparison(method.title, summary, summary.metrics) }),
    sections: sections(input),
    ...(examples === null ? {} : { examples }),
    cost: [
      { label: 'training', value: formatDuration(input.seconds) },
      { label: PEAK_MEMORY, value: formatBytes(trained.peakTensorBytes) },
      { label: 'parameters', value: formatCount(summary.parameters) },
      { label: 'epochs', value: formatCount(summary.epochs) },
    ],
    settings: explainConfig(method.config, config),
    files: trained.task.data.files,
    command: record.command.join(' '),
    environment: environment(record),
    warnings: warnings(input),
  };
}

function environment(record: RunRecord): { label: string; value: string }[] {
  const facts = record.environment as Record<string, unknown>;
  const backend = record.backend as { name?: string; simd?: string; threads?: number } | null;
  const threads = formatCounted(backend?.threads ?? 1, 'thread');
  const packages = Object.entries(record.packages).map(([name, version]) => `${name} ${version}`);
  return [
    { label: 'packages', value: packages.join(', ') },
    { label: 'Node', value: String(facts['node'] ?? process.version) },
    { label: 'processor', value: `${facts['cpu']}, ${facts['cores']} cores` },
    { label: 'backend', value: [backend?.name, backend?.simd, threads].filter(Boolean).join(', ') },
    { label: 'seed', value: String(record.seed) },
  ];
}

function sentence(summary: RunSummary): string {
  const { metrics, validation, validationPairs, baseline, testPairs, select, seedOrigin } = summary;
  if (metrics === null && validation !== null) {
    const known = isAutomatic(seedOrigin) ? 'AUTOMATIC pairs of equal names' : 'known pairs';
    return (
      `For ${formatPercent(validation.forward['hits@1']!)} of ${formatCount(validationPairs)} ` +
      `${known} that were kept out of training the true counterpart is ranked first.`
    );
  }
  if (summary.epochs === 0) return 'The model was not trained: 0 epochs.';
  if (metrics === null) return 'The model was trained without an evaluation.';
  const hits = formatPercent(metrics.forward['hits@1']!);
  const floor =
    baseline === null
      ? ''
      : `; seed propagation without training finds ${formatPercent(baseline.forward['hits@1']!)}`;
  const oracle =
    select === 'test-oracle'
      ? ' The epoch was chosen on the test pairs themselves, so the figure is optimistic.'
      : '';
  return (
    `For ${hits} of ${formatCount(testPairs)} held-out entities the true counterpart is ranked ` +
    `first${floor}.${oracle}${evidenceText(metrics.evidence)}`
  );
}

/** From where on each kind of evidence counted, in words. */
export function evidenceText(evidence: EvidenceThresholds | undefined): string {
  if (evidence === undefined) return '';
  const kinds = Object.entries(evidence);
  const word = (kind: string) =>
    kind === 'fused' ? 'the fused vectors' : modalityWords[kind as Modality];
  const used = kinds.filter(([, from]) => from !== null);
  const left = kinds.filter(([, from]) => from === null).map(([kind]) => word(kind));
  const texts = used.map(([kind, from]) => `${word(kind)} from ${from}`);
  return (
    ` Pairs are scored by evidence, in standard deviations above all pairs: ${texts.join(', ')}` +
    `${left.length === 0 ? '' : `; left out: ${left.join(', ')}`}.`
  );
}

function bigNumbers(summary: RunSummary): BigNumber[] {
  const { baseline } = summary;
  const metrics = summary.metrics ?? summary.validation;
  const pairs = summary.metrics === null ? summary.validationPairs : summary.testPairs;
  if (metrics === null) return [];
  const number = (label: string, direction: 'forward' | 'backward', key: 'hits@1' | 'mrr') => {
    const value = metrics[direction][key]!;
    const floor = baseline?.[direction][key];
    return {
      label,
      value,
      ...(key === 'hits@1' ? { interval: wilson(Math.round(value * pairs), pairs) } : {}),
      ...(floor === undefined ? {} : { reference: `baseline ${formatShare(floor)}` }),
    };
  };
  return [
    number('H@1, KG1 to KG2', 'forward', 'hits@1'),
    number('H@1, KG2 to KG1', 'backward', 'hits@1'),
    number('MRR, KG1 to KG2', 'forward', 'mrr'),
  ];
}

const metricLabels = { 'hits@1': 'H@1', 'hits@10': 'H@10', 'hits@50': 'H@50', mrr: 'MRR' } as const;
const comparedMetrics = ['hits@1', 'hits@10', 'hits@50', 'mrr'] as const;

function comparison(title: string, { baseline, testPairs }: RunSummary, metrics: AlignmentMetrics) {
  const values = (found: AlignmentMetrics, withInterval: boolean) =>
    Object.fromEntries(
      (['forward', 'backward'] as const).flatMap((direction) =>
        comparedMetrics.map((key) => {
          const value = found[direction][key]!;
          const hits = Math.round(value * testPairs);
          const interval = withInterval && key !== 'mrr' ? wilson(hits, testPairs) : {};
          return [`${direction} ${key}`, { value, ...interval }];
        }),
      ),
    );
  const arrows = { forward: 'KG1 to KG2', backward: 'KG2 to KG1' } as const;
  return {
    caption: 'The model beside what the seeds alone say',
    metrics: (['forward', 'backward'] as const).flatMap((direction) =>
      comparedMetrics.map((key) => ({
        key: `${direction} ${key}`,
        label: `${metricLabels[key]}, ${arrows[direction]}`,
        kind: 'share' as const,
        best: 'highest' as const,
      })),
    ),
    rows: [
      { source: 'ours' as const, label: title, values: values(metrics, true) },
      ...(baseline === null
        ? []
        : [
            {
              source: 'baseline' as const,
              label: baseline.attributes
                ? 'seed propagation with attribute names'
                : 'seed propagation',
              values: values(baseline, false),
            },
          ]),
    ],
    text:
      'Published figures are left out: they were measured with images, which decide much. ' +
      'The README sets them side by side.',
  };
}

function sections(input: RunPageInput): Section[] {
  const { epochs, pairs, confidence, uncertaintyLabel, sections: own } = input;
  const section = (heading: string, figures: readonly (CaptionedFigure | null)[]): Section[] => {
    const present = figures.filter((figure) => figure !== null);
    return present.length === 0 ? [] : [{ heading, figures: present }];
  };
  return [
    ...section('Pairs', pairFigures(pairs, uncertaintyLabel)),
    ...section('Confidence', [confidenceFigure(confidence)]),
    ...own,
    ...section('Pseudo seeds', [pseudoSeedFigure(epochs)]),
  ];
}

/** Ten right and ten wrong test pairs, spread over the confidence. */
function exampleSet({ pairs, trained }: RunPageInput): ExampleSet | null {
  if (pairs.length === 0) return null;
  const names = trained.task.data.entityNames;
  const toExample = (pair: PairAnalysis, verdict: 'right' | 'wrong'): Example => ({
    verdict,
    title: names[pair.source] ?? String(pair.source),
    facts: [
      { label: 'matched with', value: names[pair.predicted] ?? String(pair.predicted) },
      ...(verdict === 'right'
        ? []
        : [
            { label: 'true counterpart', value: names[pair.gold] ?? String(pair.gold) },
            { label: 'its rank', value: pair.rank === 0 ? 'beyond 10' : String(pair.rank) },
          ]),
      { label: 'margin', value: pair.margin.toFixed(3) },
      ...(pair.confidence === null
        ? []
        : [{ label: 'confidence', value: formatShare(pair.confidence, 2) }]),
      { label: 'triples', value: String(pair.degree) },
    ],
  });
  const pick = (verdict: 'right' | 'wrong') => {
    const found = pairs.filter(({ rank }) => (rank === 1) === (verdict === 'right'));
    const stride = Math.max(1, Math.floor(found.length / EXAMPLES));
    return found
      .filter((_, at) => at % stride === 0)
      .slice(0, EXAMPLES)
      .map((pair) => toExample(pair, verdict));
  };
  return {
    text: 'Candidates are all entities of the other graph that are in no seed.',
    items: [...pick('right'), ...pick('wrong')],
  };
}

function warnings({ trained, summary, epochs, confidence }: RunPageInput): string[] {
  const { data, split } = trained.task;
  const repaired = epochs.reduce((sum, record) => sum + Number(record['repaired'] ?? 0), 0);
  return [
    ...automaticWarnings(split),
    ...data.remarks,
    ...(summary.baseline?.remarks ?? []),
    ...new Set(epochs.flatMap(({ remarks }) => remarks ?? [])),
    ...(split.seedsOutsideLinks > 0
      ? [`${split.seedsOutsideLinks} seeds are not among the gold links (${split.origin}).`]
      : []),
    ...(summary.select === 'test-oracle'
      ? ['The reported epoch was selected on the test pairs, as the released code does.']
      : []),
    ...(repaired > 0
      ? [`${repaired} values that were not finite were repaired (mode official).`]
      : []),
    ...(summary.metrics === null && summary.validation !== null && summary.select === 'validation'
      ? ['The epoch was chosen on the validation pairs themselves: their figures are optimistic.']
      : []),
    ...(confidence === null && summary.metrics !== null
      ? ['There were too few held-out pairs to calibrate a confidence.']
      : []),
  ];
}
