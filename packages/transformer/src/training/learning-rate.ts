/**
 * The learning rate of every step.
 */
import { warmupCosine } from '@lab/tensor';
import type { TrainingConfig } from './training-config.js';

/**
 * Learning rate by step: a linear rise over the warm-up, then constant, linear to 0 or half a
 * cosine to 0 at the last step.
 *
 * With w steps of warm-up and n steps in all: `s / max(1, w)` for `s < w`, then 1,
 * `(n - s) / max(1, n - w)`, or `(1 + cos(pi (s - w) / max(1, n - w))) / 2`.
 * Source: transformers/optimization.py, `get_*_schedule_with_warmup`.
 *
 * @param stepCount - n; a longer warm-up ends there.
 * @returns from step, counted from 0, to rate.
 */
export function learningRates(
  { learningRate, schedule, warmupSteps }: TrainingConfig['training'],
  stepCount: number,
): (step: number) => number {
  const warmup = Math.min(warmupSteps, stepCount);
  const rising = (step: number) => step / Math.max(1, warmup);
  const cosine = warmupCosine({ warmup, horizon: stepCount });
  const falling = {
    constant: () => 1,
    linear: (step: number) => Math.max(0, (stepCount - step) / Math.max(1, stepCount - warmup)),
    cosine,
  }[schedule];
  return (step) => learningRate * (step < warmup ? rising(step) : falling(step));
}
