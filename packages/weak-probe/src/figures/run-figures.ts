/**
 * Figures of several runs, and of probes carried from one to another.
 */
import { formatShare } from '@lab/core';
import { barPlot, type CaptionedFigure, linePlot, type LineSeries } from '@lab/report';
import type { LensResult } from '../lens-result.js';
import type { LearningCurve, ProbeResult } from '../probe-result.js';
import type { TransferPoint } from '../transfer.js';
import { controlScores, probeName } from './probe-figures.js';

/** A run under its name. */
export interface NamedProbes {
  readonly name: string;
  readonly probes: ProbeResult;
}

/**
 * Accuracy of one kind of probe by depth, a line a run; along x states, or where models differ in
 * depth the share of their blocks.
 *
 * @param family - what the runs have in common, for the title.
 */
export function runsFigure(
  runs: readonly NamedProbes[],
  kind: string,
  family?: string,
): CaptionedFigure {
  const depths = runs.map(({ probes }) => Math.max(...probes.states.map(({ state }) => state)));
  const isAlike = new Set(depths).size === 1;
  const strongest = runs.map(({ name, probes }) => {
    const best = Math.max(0, ...controlScores(probes.controls).map(({ accuracy }) => accuracy));
    return `${name} ${formatShare(best)}`;
  });
  return {
    figure: linePlot({
      title: `${probeName(kind)}: accuracy by depth${family === undefined ? '' : `, ${family}`}`,
      x: isAlike ? { label: 'state' } : { label: 'share of blocks', format: 'share' },
      y: { label: 'accuracy', format: 'share', domain: [0.3, 1] },
      series: runs.map(({ name, probes }, at) => ({
        name,
        points: probes.states.flatMap(({ state, probes: found }) => {
          const own = found.find(({ probe }) => probe === kind);
          if (own === undefined) return [];
          const { low, high } = own.interval;
          return [{ x: isAlike ? state : state / depths[at]!, y: own.accuracy, low, high }];
        }),
      })),
    }),
    caption: `Held-out prompts; bands are 95 %. The texts alone reach: ${strongest.join(', ')}.`,
  };
}

/** Consistency of several runs, a bar for each run and class. */
export function runsConsistencyFigure(
  runs: readonly { readonly name: string; readonly lens: LensResult }[],
): CaptionedFigure {
  return {
    figure: barPlot({
      title: 'Top-K Intermediate Consistency of the runs',
      value: { label: 'consistency', format: 'share', domain: [0, 1] },
      bars: runs.flatMap(({ name, lens }) =>
        lens.classes.map(({ label, consistency: { value, interval } }) => ({
          label: `${name}, ${label}`,
          series: label,
          value,
          ...(interval === null ? {} : { low: interval.low, high: interval.high }),
        })),
      ),
    }),
    caption: 'Middle states of each run; whiskers are 95 % bootstrap intervals over prompts.',
  };
}

/** Probes of this run on another one. */
export interface CarriedProbes {
  /** The other run. */
  readonly to: string;
  readonly points: readonly TransferPoint[];
}

/** Accuracy of probes on the set they were fitted on and on another, by state. */
export function transferFigure({ to, points }: CarriedProbes): CaptionedFigure {
  const kind = points[0]?.probe ?? 'svm';
  const own = points.filter(({ probe }) => probe === kind);
  return {
    figure: linePlot({
      title: `Carried to ${to}`,
      x: { label: 'state' },
      y: { label: 'accuracy', format: 'share', domain: [0, 1] },
      series: [
        {
          name: 'on its own set',
          points: own.map(({ state, within }) => ({ x: state, y: within.accuracy })),
        },
        {
          name: 'on the other set',
          points: own.map(({ state, accuracy, interval: { low, high } }) => ({
            ...{ x: state, y: accuracy, low, high },
          })),
        },
        {
          name: 'fitted there',
          points: own.map(({ state, native }) => ({ x: state, y: native })),
        },
      ],
    }),
    caption:
      `The ${probeName(kind)} fitted here and measured on the other set. Where it falls and a ` +
      'probe fitted there does not, the two sets are told apart by different things.',
  };
}

/**
 * How alike the directions of probes are that were fitted here and there, by state; null for probes
 * without one.
 */
export function cosineFigure({ to, points }: CarriedProbes): CaptionedFigure | null {
  const kinds = [...new Set(points.map(({ probe }) => probe))];
  const series = kinds.flatMap((kind) => {
    const own = points.flatMap(({ probe, state, directionCosine }) =>
      probe === kind && directionCosine !== null ? [{ x: state, y: directionCosine }] : [],
    );
    return own.length === 0 ? [] : [{ name: probeName(kind), points: own }];
  });
  if (series.length === 0) return null;
  return {
    figure: linePlot({
      title: `Directions here and in ${to}`,
      x: { label: 'state' },
      y: { label: 'cosine', hasZero: true, domain: [lowestCosine(series), 1] },
      series,
    }),
    caption:
      'Cosine of the direction from the first class to the second as fitted here and there. ' +
      'Between checkpoints of one family, 1 says that fine-tuning left the concept where it was.',
  };
}

const lowestCosine = (series: readonly LineSeries[]): number =>
  series.some(({ points }) => points.some(({ y }) => y < 0)) ? -1 : 0;

/** Accuracy of a probe by the number of prompts that it learns from. */
export function learningFigure({ probe, state, points }: LearningCurve): CaptionedFigure {
  return {
    figure: linePlot({
      title: `Training prompts that state ${state} needs`,
      x: { label: 'training prompts', isLog: true },
      y: { label: 'accuracy', format: 'share', hasZero: false },
      series: [
        {
          name: probeName(probe),
          points: points.map(({ trainCount, accuracy, interval: { low, high } }) => ({
            ...{ x: trainCount, y: accuracy, low, high },
          })),
        },
      ],
    }),
    caption: `Held-out accuracy of the ${probeName(probe)}, mean over draws; the band is 95 %.`,
  };
}
