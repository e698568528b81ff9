/**
 * A run beside the published chart.
 */
import { type CaptionedFigure, linePlot } from '@lab/report';
import type { StateReport } from '../explain.js';
import type { PublishedCurve } from '../published.js';
import { probeName } from './probe-figures.js';

/** A curve of the chart and the states of a run. */
export interface BesideChart {
  readonly states: readonly StateReport[];
  readonly curve: PublishedCurve;
  /** E.g. `Llama-2-7b-chat, chat format`. */
  readonly name: string;
}

/** Accuracy by state of a run and of the chart, for one kind of probe. */
export function publishedFigure({ states, curve, name }: BesideChart): CaptionedFigure {
  const kind = probeName(curve.probe);
  const own = states.flatMap(({ state, probes }) => {
    const found = probes.find(({ probe }) => probe === curve.probe);
    if (found === undefined) return [];
    const { low, high } = found.interval;
    return [{ x: state, y: found.accuracy, low, high }];
  });
  const read = curve.points.map(({ state, accuracy, low, high }) => ({
    ...{ x: state, y: accuracy, low, high },
  }));
  const least = Math.min(...[...own, ...read].map(({ low }) => low));
  return {
    figure: linePlot({
      title: `${kind} beside the published chart`,
      x: { label: 'state' },
      y: {
        ...{ label: 'accuracy', format: 'share' },
        domain: [Math.max(0, Math.floor(least * 10) / 10), 1],
      },
      series: [
        { name: 'this run', points: own },
        { name: `published, ${name}`, points: read },
      ],
    }),
    caption:
      'Bands: 95 % of this run; of the chart what its reading leaves open. Between the states ' +
      'that were read the published line is drawn straight.',
  };
}
