/**
 * From which state on a concept can be read: where a probe beats what the words alone tell.
 */
import { type Interval, wilson } from '@lab/metrics';
import type { StateReport } from './explain.js';
import type { ProbeKind } from './probes.js';

/** A state and how sure its accuracy is: ends of an interval that holds for all states at once. */
export interface EmergencePoint extends Interval {
  readonly state: number;
  readonly accuracy: number;
}

/** See {@link emergence}. */
export interface Emergence {
  readonly probe: ProbeKind;
  /** Accuracy that had to be beaten. */
  readonly baseline: number;
  /** First state whose whole interval lies above the baseline; null for none. */
  readonly firstState: number | null;
  /** State from which on that holds for every later one; null where it does not hold at the end. */
  readonly lastingState: number | null;
  /** The most accurate state, the first of equal ones. */
  readonly best: EmergencePoint;
}

/**
 * The states at which a probe beats a baseline.
 *
 * Intervals are Wilson's at the level `1 - .05 / states` (Bonferroni): with 95 % each, one state
 * in forty of a probe that knows nothing would lie above.
 *
 * @param reports - states in their order, at least one.
 * @param against - `baseline`: accuracy of the strongest control on the same splits, 0..1;
 *   `rowCount`: different rows that were predicted.
 * @returns one entry for each kind of probe.
 */
export function emergence(
  reports: readonly StateReport[],
  { baseline, rowCount }: { readonly baseline: number; readonly rowCount: number },
): Emergence[] {
  const level = 1 - 0.05 / reports.length;
  const kinds = reports[0]?.probes.map(({ probe }) => probe) ?? [];
  return kinds.map((probe, place) => {
    const points = reports.map(({ state, probes }): EmergencePoint => {
      const { accuracy } = probes[place]!;
      const { low, high } = wilson(accuracy * rowCount, rowCount, level);
      return { state, accuracy, low, high };
    });
    return { probe, ...emergenceOf(points, baseline) };
  });
}

/** As {@link emergence}, of any curve. */
export function emergenceOf(
  points: readonly EmergencePoint[],
  baseline: number,
): Omit<Emergence, 'probe'> {
  const isAbove = points.map(({ low }) => low > baseline);
  const first = isAbove.indexOf(true);
  const lasting = isAbove.lastIndexOf(false) + 1;
  const best = points.reduce((most, point) => (point.accuracy > most.accuracy ? point : most));
  return {
    baseline,
    firstState: points[first]?.state ?? null,
    lastingState: points[lasting]?.state ?? null,
    best,
  };
}
