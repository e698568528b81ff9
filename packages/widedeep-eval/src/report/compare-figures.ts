/**
 * Figures of several networks on the same pairs.
 */
import { formatCounted, type RunRecord } from '@lab/core';
import {
  barPlot,
  type CaptionedFigure,
  forestPlot,
  linePlot,
  type LinePoint,
  type LineSeries,
  scatterPlot,
} from '@lab/report';
import type { WidedeepConfig } from '../config.js';
import type { Evaluation } from '../evaluate.js';
import type { JudgedSample } from '../judged-sample.js';
import type { JudgeDifference } from '../verdict-metrics.js';

/** A run that is compared. */
export interface ComparedNetwork {
  readonly name: string;
  readonly dir: string;
  readonly samples: readonly JudgedSample[];
  readonly evaluation: Evaluation;
}

/** A network, and what its page needs of its record. */
export interface ShownNetwork extends ComparedNetwork {
  readonly record: RunRecord;
  readonly settings: WidedeepConfig | undefined;
  /** Its differences to the first network; null for the first, and without pairs in common. */
  readonly difference: JudgeDifference | null;
}

/** Kappa with people; null where there are none. */
export const kappaOf = ({ evaluation }: ShownNetwork) =>
  evaluation.agreement?.overall.kappa ?? null;

/** Kappa of each network; null without people. */
export function kappaFigure(shown: readonly ShownNetwork[]): CaptionedFigure | null {
  const bars = shown.flatMap((one) => {
    const kappa = kappaOf(one);
    if (kappa === null) return [];
    // Bars start at 0, and chance is there.
    const [value, low, high] = [kappa.value, kappa.low, kappa.high].map((end) => Math.max(0, end));
    return [{ label: one.name, value: value!, low: low!, high: high! }];
  });
  if (bars.length === 0) return null;
  return {
    figure: barPlot({
      title: 'Agreement with people',
      value: { label: 'kappa', format: 'share' },
      bars,
    }),
    caption: 'Whiskers are 95 % bootstrap intervals; a kappa below 0 is drawn as 0.',
  };
}

/** Kappa of each network minus that of the first; null where there is none. */
export function differenceFigure(shown: readonly ShownNetwork[]): CaptionedFigure | null {
  const rows = shown.flatMap(({ name, difference }) => {
    if (difference === null) return [];
    const { value: estimate, low, high } = difference.kappa;
    return [{ label: `${name} (n = ${difference.n})`, estimate, low, high }];
  });
  if (rows.length === 0) return null;
  return {
    figure: forestPlot({
      title: `Kappa minus that of "${shown[0]!.name}"`,
      value: { label: 'difference of kappa', format: 'share' },
      rows,
    }),
    caption: 'An interval without 0 tells the two apart; 95 %, paired bootstrap over pairs.',
  };
}

/** Tokens in and out, of a pair on average. */
export const tokensOf = ({ evaluation: { network } }: ShownNetwork): number =>
  (network.tokens.in + network.tokens.out) / Math.max(1, network.samples);

/** What agreement costs: dollars a pair where all are known, else tokens. */
export function costFigure(shown: readonly ShownNetwork[]): CaptionedFigure | null {
  const hasCost = shown.every(({ evaluation: { network } }) => (network.costUsd ?? 0) > 0);
  const points = shown.flatMap((one) => {
    const kappa = kappaOf(one);
    const { costUsd, samples } = one.evaluation.network;
    const x = hasCost ? (1000 * costUsd!) / Math.max(1, samples) : tokensOf(one);
    return kappa === null ? [] : [{ x, y: kappa.value, label: one.name }];
  });
  if (points.length < 2) return null;
  const unit = hasCost ? 'USD for 1,000 pairs' : 'tokens a pair';
  // A colour for each, as far as colours can be told apart.
  const hasNames = points.length <= mostColors;
  const named = points.map((point) => ({ name: point.label, points: [point] }));
  return {
    figure: scatterPlot({
      title: 'What agreement costs',
      x: { label: unit, hasZero: true },
      y: { label: 'kappa', format: 'share' },
      series: hasNames ? named : [{ name: 'networks', points }],
    }),
    caption: 'High and left is good: agreement for little.',
  };
}

const mostColors = 8;

/** Judges of the first layer, on average over pairs that were judged. */
const judgesOf = ({ samples }: ShownNetwork): number => {
  const counts = samples.map(({ judgeDifferences }) => judgeDifferences.length);
  const asked = counts.filter((count) => count > 0);
  return asked.reduce((sum, count) => sum + count, 0) / Math.max(1, asked.length);
};

/** Kappa over depth or width, a line for networks that are alike in all else. */
export function shapeFigure(
  shown: readonly ShownNetwork[],
  what: 'judges' | 'layers',
): CaptionedFigure | null {
  const lines = new Map<string, LinePoint[]>();
  for (const one of shown) {
    const { settings } = one;
    const kappa = kappaOf(one);
    if (settings === undefined || kappa === null || judgesOf(one) === 0) continue;
    const { layers, connectivity, bothOrders } = settings.network;
    const judges = Number(judgesOf(one).toFixed(1));
    const own =
      what === 'layers' ? `${judges} judges, ${connectivity}` : formatCounted(layers, 'layer');
    const orders = bothOrders ? 'both orders' : 'one order';
    const name = `${own}, angles ${settings.roles.kind}, ${orders}`;
    const { value: y, low, high } = kappa;
    const point = { x: what === 'layers' ? layers : judges, y, low, high };
    lines.set(name, [...(lines.get(name) ?? []), point]);
  }
  const series: LineSeries[] = [...lines]
    .filter(([, points]) => new Set(points.map(({ x }) => x)).size > 1)
    .map(([name, points]) => ({ name, points: points.toSorted((a, b) => a.x - b.x) }));
  if (series.length === 0) return null;
  const isDepth = what === 'layers';
  return {
    figure: linePlot({
      title: isDepth ? 'Agreement by number of layers' : 'Agreement by number of judges',
      x: { label: isDepth ? 'layers' : 'judges of a layer' },
      y: { label: 'kappa', format: 'share' },
      series,
    }),
    caption: `${
      isDepth ? 'One layer is judges alone.' : 'Judges of the first layer, mean over pairs.'
    } Bands are 95 % bootstrap intervals.`,
  };
}

/** Share of judges that change their verdict with the order; null where none saw both. */
export function conflictFigure(shown: readonly ShownNetwork[]): CaptionedFigure | null {
  const bars = shown.flatMap(({ name, evaluation }) => {
    const { conflictRate } = evaluation.network.position;
    return conflictRate === null ? [] : [{ label: name, value: conflictRate }];
  });
  if (bars.length === 0) return null;
  return {
    figure: barPlot({
      title: 'Verdicts that change with the order',
      value: { label: 'share of judges', format: 'share', domain: [0, 1] },
      bars,
    }),
    caption:
      'A judge that prefers what stands first changes its verdict when answers change places.',
  };
}
