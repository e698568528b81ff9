/**
 * Figures of what grafts and steering do.
 */
import { type CaptionedFigure, linePlot, type LineSeries } from '@lab/report';
import type { CausalCheck } from '../causal.js';
import type { GraftPoint } from '../graft-sweep.js';
import type { DosePoint } from '../steering.js';

/** Names of donors and controls in the reader's words. */
const sourceNames: Readonly<Record<string, string>> = {
  mean: 'mean of donors',
  nearest: 'nearest donor',
  single: 'one donor',
  'other-recipient': 'another recipient (control)',
  shuffled: 'donor, shuffled (control)',
  noise: 'noise (control)',
};

/** A source in the reader's words. */
export const sourceName = (source: string): string => sourceNames[source] ?? source;

const refusal = { label: 'share refused', format: 'share', domain: [0, 1] } as const;

/** Share of refusals by the state that is grafted, donors and controls. */
export function graftFigure(points: readonly GraftPoint[], donors: string): CaptionedFigure {
  const none = points.find(({ source }) => source === 'none');
  return {
    figure: linePlot({
      title: 'Refusals by the state that is grafted',
      x: { label: 'grafted state' },
      y: refusal,
      series: curves(points, ({ refusalShare, refusalInterval }) => ({
        y: refusalShare,
        ...refusalInterval,
      })),
      references: none === undefined ? [] : [{ y: none.refusalShare, label: 'without a graft' }],
    }),
    caption:
      `The last position gets the state of ${donors} prompts; first token alone. Where donors ` +
      'move refusals and controls do not, that state carries the decision. Bands are 95 %.',
  };
}

/** Logit gap between refusal and compliance by the state that is grafted. */
export function gapFigure(points: readonly GraftPoint[]): CaptionedFigure {
  const none = points.find(({ source }) => source === 'none');
  return {
    figure: linePlot({
      title: 'Refusal against compliance by the state that is grafted',
      x: { label: 'grafted state' },
      y: { label: 'logit of refusal minus compliance', unit: 'nats', hasZero: true },
      series: curves(points, ({ gap, gapInterval }) => ({ y: gap, ...gapInterval })),
      references: none === undefined ? [] : [{ y: none.gap, label: 'without a graft' }],
    }),
    caption:
      'Above 0 a refusal is the more probable opening. Bands are 95 % intervals of the mean.',
  };
}

interface Height {
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

function curves(
  points: readonly GraftPoint[],
  heightOf: (point: GraftPoint) => Height,
): LineSeries[] {
  const sources = [...new Set(points.map(({ source }) => source))].filter((one) => one !== 'none');
  return sources.map((source) => ({
    name: sourceName(source),
    points: points
      .filter((point) => point.source === source && point.state !== null)
      .toSorted((a, b) => a.state! - b.state!)
      .map((point) => {
        const { y, low, high } = heightOf(point);
        return { x: point.state!, y, low, high };
      }),
  }));
}

/** Share of refusals by how much of the probe's direction is added. */
export function doseFigure(
  classes: readonly { readonly label: string; readonly doses: readonly DosePoint[] }[],
): CaptionedFigure {
  return {
    figure: linePlot({
      title: "Refusals by the dose of the probe's direction",
      x: { label: 'dose', unit: 'distances between the classes' },
      y: refusal,
      series: classes.map(({ label, doses }) => ({
        name: label,
        points: doses.map(({ dose, refusalShare, refusalInterval }) => {
          const { low, high } = refusalInterval;
          return { x: dose, y: refusalShare, low, high };
        }),
      })),
    }),
    caption:
      'Share of prompts whose first token opens a refusal, once so much of the direction is ' +
      'added to the residual. A flat line: what the probe reads, the model does not use. ' +
      'Bands are 95 %.',
  };
}

/** What taking the direction out does, in words. */
export function causalSentence(check: CausalCheck): string {
  const { without, unchanged, random, pValue } = check;
  const share = (value: number) => `${(100 * value).toFixed(1)} %`;
  const range = `${share(random.refusalLow)} to ${share(random.refusalHigh)}`;
  return (
    `${share(unchanged.refusalShare)} are refused, and ${share(without.refusalShare)} without ` +
    `the probe's direction; random directions change that by ${range} ` +
    `(${random.gapEffects.length} draws; p = ${pValue.toFixed(3)} by the gap of logits).`
  );
}
