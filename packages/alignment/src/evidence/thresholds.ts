/**
 * From where on each kind of evidence counts, chosen without any known pair beside the seeds.
 */
import type { Threshold } from './pair-scores.js';

/** What a threshold may be: left out, or so many standard deviations. */
const OPTIONS: readonly Threshold[] = [null, 0, 2, 4, 6];
const START = 2;
const SWEEPS = 2;

/** Chosen thresholds, and what they reach. */
export interface ChosenThresholds {
  readonly thresholds: readonly Threshold[];
  /** Value of the objective. */
  readonly value: number;
  /** Values of everything that was tried, in order. */
  readonly trace: readonly number[];
}

/**
 * Coordinate ascent: kinds in order, options in order, at most two sweeps; an option replaces the
 * present one only where the objective grows. Not all kinds are left out.
 *
 * @param kinds - how many kinds of evidence there are.
 * @param objective - what is to be as large as possible.
 */
export async function chooseThresholds(
  kinds: number,
  objective: (thresholds: readonly Threshold[]) => number | Promise<number>,
): Promise<ChosenThresholds> {
  let current: readonly Threshold[] = Array.from({ length: kinds }, () => START);
  let value = await objective(current);
  const trace = [value];
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    let hasChanged = false;
    for (let kind = 0; kind < kinds; kind += 1) {
      for (const option of OPTIONS) {
        const trial = current.with(kind, option);
        if (option === current[kind] || trial.every((one) => one === null)) continue;
        const found = await objective(trial);
        trace.push(found);
        if (found <= value) continue;
        [value, current, hasChanged] = [found, trial, true];
      }
    }
    if (!hasChanged) break;
  }
  return { thresholds: current, value, trace };
}
