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
}

/**
 * Coordinate ascent: kinds in order, options in order, at most two sweeps; an option replaces the
 * present one only where the objective grows. Not all kinds are left out.
 *
 * @param kinds - how many kinds of evidence there are.
 * @param objective - what is to be as large as possible; asked once for each choice.
 */
export async function chooseThresholds(
  kinds: number,
  objective: (thresholds: readonly Threshold[]) => number | Promise<number>,
): Promise<ChosenThresholds> {
  const tried = new Set<string>();
  let current: readonly Threshold[] = Array.from({ length: kinds }, () => START);
  let value = Number.NEGATIVE_INFINITY;
  const attempt = async (trial: readonly Threshold[]) => {
    const key = JSON.stringify(trial);
    // What has been tried before was no better than what is there now.
    if (tried.has(key) || trial.every((one) => one === null)) return;
    tried.add(key);
    const found = await objective(trial);
    if (found > value) [value, current] = [found, trial];
  };
  await attempt(current);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (let kind = 0; kind < kinds; kind += 1) {
      for (const option of OPTIONS) await attempt(current.with(kind, option));
    }
  }
  return { thresholds: current, value };
}
