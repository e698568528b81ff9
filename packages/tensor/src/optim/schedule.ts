import { ConfigError } from '@lab/core';

/**
 * Learning-rate factor by epoch: linear rise over `warmup` epochs, then half a cosine to zero.
 *
 * `f(e) = e / max(1, warmup)` for `e < warmup`, else
 * `f(e) = max(0, (1 + cos(pi (e - warmup) / max(1, horizon - warmup))) / 2)`.
 * Source: huggingface/transformers/src/transformers/optimization.py,
 * `get_cosine_schedule_with_warmup`; equation not verified.
 *
 * Deviation: beyond `horizon` the factor stays 0, where the reference's cosine rises again.
 *
 * Epochs count from 0, so with `warmup > 0` the first factor is 0.
 *
 * @param options - `warmup` and `horizon` in epochs (or steps), `0 <= warmup <= horizon`.
 * @returns a function from epoch (from 0) to a factor in `[0, 1]`.
 * @throws {ConfigError} when the numbers are not in that order.
 */
export function warmupCosine(options: {
  warmup: number;
  horizon: number;
}): (epoch: number) => number {
  const { warmup, horizon } = options;
  if (!(warmup >= 0 && horizon >= warmup && Number.isFinite(horizon))) {
    throw new ConfigError(
      `tensor/schedule: warm-up ${warmup} and horizon ${horizon} are not 0 <= warm-up <= horizon.`,
      { help: 'Make the horizon at least as long as the warm-up.', details: { warmup, horizon } },
    );
  }
  return (epoch) => {
    if (epoch < warmup) return epoch / Math.max(1, warmup);
    const progress = (epoch - warmup) / Math.max(1, horizon - warmup);
    return progress >= 1 ? 0 : (1 + Math.cos(Math.PI * progress)) / 2;
  };
}
