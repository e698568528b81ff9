/**
 * Figures of probes by state.
 */
import {
  type CaptionedFigure,
  createSeriesColors,
  heatmap,
  linePlot,
  type LineSeries,
  type ReferenceLine,
} from '@lab/report';
import type { StateProbe, StateReport } from '../explain.js';
import type { HeadProbes } from '../head-probes.js';

/** What a probe that sees no state reaches. */
export interface ControlScore {
  /** E.g. `words`. */
  readonly name: string;
  readonly accuracy: number;
}

/** Names of probes in the reader's words. */
const probeNames: Readonly<Record<string, string>> = {
  svm: 'linear SVM',
  mlp: 'MLP',
  logistic: 'logistic regression',
  lda: 'LDA',
  'mass-mean': 'mass mean',
  'nearest-centroid': 'nearest centroid',
  pca: 'principal component',
  'scaled-svm': 'linear SVM, scaled',
};

/** What texts alone reach, by name. */
const controlNames: Readonly<Record<string, string>> = {
  majority: 'most frequent class',
  length: 'length',
  'last-character': 'last character',
  'first-word': 'first word',
  'naive-bayes': 'words (Bayes)',
  'word-svm': 'words (SVM)',
};

/** A control's name in the reader's words. */
export const controlName = (control: string): string => controlNames[control] ?? control;

/** A probe's name in the reader's words. */
export const probeName = (kind: string): string => probeNames[kind] ?? kind;

/** What the figure of accuracies shows of text baselines: chance, length, and the best of words. */
export function controlScores(
  controls: readonly { readonly control: string; readonly accuracy: number }[],
): ControlScore[] {
  const best = (names: readonly string[]) =>
    controls
      .filter(({ control }) => names.includes(control))
      .reduce((most, { accuracy }) => Math.max(most, accuracy), Number.NEGATIVE_INFINITY);
  return [
    { name: 'most frequent class', accuracy: best(['majority']) },
    { name: 'length', accuracy: best(['length']) },
    { name: 'words', accuracy: best(['naive-bayes', 'word-svm', 'first-word', 'last-character']) },
  ].filter(({ accuracy }) => Number.isFinite(accuracy));
}

/** Probes in their colours, the same in every figure. */
const probeColors = createSeriesColors([
  ...Object.values(probeNames).filter((name) => name !== probeNames['scaled-svm']),
  ...['random labels', probeNames['scaled-svm']!],
]);

const kindsOf = (states: readonly StateReport[]) => [
  ...new Set(states.flatMap(({ probes }) => probes.map(({ probe }) => probe))),
];

const probeAt = ({ probes }: StateReport, kind: string): StateProbe | undefined =>
  probes.find(({ probe }) => probe === kind);

/** Heights closer than this share a label. */
const NEAR = 0.04;

/** Lines across the plot; names of those that lie close together stand in one label. */
export function controlLines(controls: readonly ControlScore[]): ReferenceLine[] {
  const groups: { y: number; names: string[] }[] = [];
  for (const { name, accuracy } of controls.toSorted((a, b) => b.accuracy - a.accuracy)) {
    const group = groups.find(({ y }) => Math.abs(y - accuracy) < NEAR);
    if (group === undefined) groups.push({ y: accuracy, names: [name] });
    else group.names.push(name);
  }
  return groups.map(({ y, names }) => ({ y, label: names.join(', ') }));
}

/** Accuracy of each probe by state, with what words, length and the most frequent class reach. */
export function accuracyFigure(
  states: readonly StateReport[],
  controls: readonly ControlScore[],
): CaptionedFigure {
  const kinds = kindsOf(states);
  const series: LineSeries[] = kinds.map((kind) => ({
    name: probeName(kind),
    points: states.flatMap((report) => {
      const found = probeAt(report, kind);
      if (found === undefined) return [];
      const { low, high } = found.interval;
      return [{ x: report.state, y: found.accuracy, low, high }];
    }),
  }));
  const random = randomSeries(states, kinds);
  return {
    figure: linePlot({
      title: 'Accuracy by state',
      x: { label: 'state' },
      y: { label: 'accuracy', format: 'share', domain: [lowest(series, random, controls), 1] },
      series: [...series, ...random],
      references: controlLines(controls),
      colors: probeColors,
    }),
    caption:
      'Share of held-out prompts whose class a probe tells; state 0 is the embedding, state k ' +
      'stands behind k blocks. Bands are 95 %. Only what lies above the lines of words and ' +
      'length says more than the wording does.',
  };
}

/** The first linear probe on shuffled labels. */
function randomSeries(states: readonly StateReport[], kinds: readonly string[]): LineSeries[] {
  const kind = kinds.find((one) => states.some((state) => probeAt(state, one)?.randomLabels));
  if (kind === undefined) return [];
  const points = states.flatMap((report) => {
    const found = probeAt(report, kind)?.randomLabels;
    return found === null || found === undefined ? [] : [{ x: report.state, y: found.accuracy }];
  });
  return [{ name: 'random labels', points }];
}

/** The axis begins a little below the lowest point, in tenths. */
function lowest(
  series: readonly LineSeries[],
  random: readonly LineSeries[],
  controls: readonly ControlScore[],
): number {
  const heights = [
    ...[...series, ...random].flatMap(({ points }) => points.map(({ y, low }) => low ?? y)),
    ...controls.map(({ accuracy }) => accuracy),
  ];
  const least = heights.reduce((low, value) => Math.min(low, value), 0.5);
  return Math.max(0, Math.floor(least * 10 - 0.5) / 10);
}

/** F1 of each class by state, of one probe; null for two classes, whose curves say the same. */
export function classFigure(states: readonly StateReport[], kind: string): CaptionedFigure | null {
  const classes = probeAt(states[0]!, kind)?.classes ?? [];
  if (classes.length < 3) return null;
  return {
    figure: linePlot({
      title: 'F1 of each class by state',
      x: { label: 'state' },
      y: { label: 'F1', format: 'share', domain: [0, 1] },
      series: classes.map(({ label }, place) => ({
        name: label,
        points: states.flatMap((report) => {
          const found = probeAt(report, kind)?.classes[place];
          return found === undefined ? [] : [{ x: report.state, y: found.f1 }];
        }),
      })),
    }),
    caption: `Harmonic mean of precision and recall of the ${probeName(kind)}.`,
  };
}

/** Classes against what a probe takes them for, at one state. */
export function confusionFigure({ state }: StateReport, probe: StateProbe): CaptionedFigure {
  const names = probe.classes.map(({ label }) => label);
  return {
    figure: heatmap({
      title: `Confusion at state ${state}`,
      rows: names,
      columns: names.map((name) => `said ${name}`),
      rowLabel: 'class',
      values: probe.confusion,
      value: { label: 'prompts', hasZero: true },
      width: 420,
    }),
    caption: `Held-out prompts by class and by what the ${probeName(probe.probe)} says.`,
  };
}

/** Accuracy of each head by itself, block by block. */
export function headFigure({ states, probe }: HeadProbes): CaptionedFigure {
  const heads = states[0]?.heads.map(({ head }) => `head ${head}`) ?? [];
  return {
    figure: heatmap({
      title: 'Accuracy of single heads',
      rows: states.map(({ state }) => `block ${state}`),
      columns: heads,
      rowLabel: 'block',
      columnLabel: 'head',
      values: states.map((one) => one.heads.map(({ accuracy }) => accuracy)),
      value: { label: 'accuracy', format: 'share', domain: [0, 1] },
    }),
    caption:
      `Held-out prompts by what each head gives, ${probeName(probe)}. Of many heads the best is ` +
      'a lucky one, too.',
  };
}

/** How far the classes lie apart without any probe, by state. */
export function separationFigure(states: readonly StateReport[]): CaptionedFigure {
  return {
    figure: linePlot({
      title: 'Separation by state',
      x: { label: 'state' },
      y: { label: 'mean silhouette', hasZero: true },
      series: [
        { name: 'silhouette', points: states.map(({ state: x, silhouette: y }) => ({ x, y })) },
      ],
    }),
    caption:
      'Mean silhouette of the classes, -1 to 1: near 0 the classes lie in each other, and a ' +
      'probe that still tells them apart found a direction of little variance.',
  };
}

/** Spread between class means over spread within classes, by state; null where none is known. */
export function fisherFigure(states: readonly StateReport[]): CaptionedFigure | null {
  const points = states.flatMap(({ state, fisherRatio }) =>
    fisherRatio === null || fisherRatio <= 0 ? [] : [{ x: state, y: fisherRatio }],
  );
  if (points.length < 2) return null;
  return {
    figure: linePlot({
      title: 'Fisher ratio by state',
      x: { label: 'state' },
      y: { label: 'Fisher ratio', isLog: true },
      series: [{ name: 'between over within', points }],
    }),
    caption:
      'Variance of the class means over that within classes, all features together: it does not ' +
      'depend on the scale of the states.',
  };
}
