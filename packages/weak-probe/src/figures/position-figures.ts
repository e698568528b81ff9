/**
 * Figures of where in a prompt a class can be read.
 */
import { type CaptionedFigure, heatmap, linePlot } from '@lab/report';
import type { PositionName, PositionReport, PositionResult } from '../positions.js';
import { probeName } from './probe-figures.js';

const names: Readonly<Record<PositionName, string>> = {
  last: 'last token',
  'prompt-end': 'end of the prompt itself',
  mean: 'mean of all tokens',
  max: 'highest of all tokens',
  attention: 'tokens it chooses',
};

/** A position in the reader's words; numbers count from the end of the text. */
export const positionLabel = (position: PositionName | number): string =>
  typeof position === 'number' ? `token ${position}` : names[position];

/** Accuracy by state, a line for each way to read prompts. */
export function positionFigure({ states, probe }: PositionResult): CaptionedFigure {
  const known = states[0]?.positions.map(({ position }) => position) ?? [];
  return {
    figure: linePlot({
      title: 'Accuracy by what is read of a prompt',
      x: { label: 'state' },
      y: { label: 'accuracy', format: 'share', domain: [lowest(states), 1] },
      series: known.map((position, place) => ({
        name: positionLabel(position),
        points: states.map(({ state, positions }) => {
          const { accuracy, interval } = positions[place]!;
          return { x: state, y: accuracy, low: interval.low, high: interval.high };
        }),
      })),
    }),
    caption:
      `Held-out prompts, the same splits for all; ${probeName(probe)}, and for the tokens it ` +
      'chooses a logistic one whose attention is learnt with it. Bands are 95 %. Where the last ' +
      'token is below the others, its state does not hold what earlier tokens do.',
  };
}

/** The axis begins a little below the lowest band, in tenths. */
function lowest(states: readonly PositionReport[]): number {
  const lows = states.flatMap(({ positions }) => positions.map(({ interval }) => interval.low));
  return Math.max(0, Math.floor(Math.min(0.5, ...lows) * 10) / 10);
}

/** Accuracy of single tokens, counted from the end, by state; null where none was read. */
export function offsetFigure({ states }: PositionResult): CaptionedFigure | null {
  const offsets = states[0]?.offsets.map(({ offset }) => offset) ?? [];
  if (offsets.length < 2) return null;
  const order = offsets.toReversed();
  return {
    figure: heatmap({
      title: 'Accuracy of single tokens',
      rows: states.map(({ state }) => `state ${state}`),
      columns: order.map((offset) => String(offset)),
      rowLabel: 'state',
      columnLabel: 'token, from the end of the text',
      values: states.map((report) =>
        order.map((offset) => report.offsets.find((one) => one.offset === offset)!.accuracy),
      ),
      value: { label: 'accuracy', format: 'share', domain: [0, 1] },
    }),
    caption: 'A probe for each token and state: from where on, and when, the class can be read.',
  };
}
