/**
 * From which state on a concept can be read: where a probe beats what the words alone tell.
 */
import type { StateReport } from './explain.js';
import type { ProbeKind } from './probes.js';

/** A state and how sure its accuracy is. */
export interface EmergencePoint {
  readonly state: number;
  readonly accuracy: number;
  /** Ends of the 95 % interval. */
  readonly low: number;
  readonly high: number;
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
 * @param reports - states in their order, at least one.
 * @param baseline - accuracy of the strongest control on the same splits, 0..1.
 * @returns one entry for each kind of probe.
 */
export function emergence(reports: readonly StateReport[], baseline: number): Emergence[] {
  const kinds = reports[0]?.probes.map(({ probe }) => probe) ?? [];
  return kinds.map((probe, place) => {
    const points = reports.map(({ state, probes }): EmergencePoint => {
      const { accuracy, interval } = probes[place]!;
      return { state, accuracy, low: interval.low, high: interval.high };
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
