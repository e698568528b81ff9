import { hasKernel, runSingle } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { sumOverRowBlocks } from './row-blocks.js';

/** A deviation given through a spread: `ln s = offset + slope softplus(min(spread, ceiling))`. */
export interface SquashedDeviation {
  readonly ceiling: number;
  readonly offset: number;
  readonly slope: number;
}

/** The prior, and what the spread is. */
export interface GaussianKlOptions {
  /** Standard deviation `s0` of the prior, > 0; default 1. */
  readonly prior?: number;
  /** Without it the spread is the standard deviation itself, > 0. */
  readonly squashed?: SquashedDeviation;
}

/**
 * KL divergence of diagonal Gaussians `N(m, s^2)` from `N(0, s0^2)`, summed over dimensions and
 * averaged over rows.
 *
 * `KL = mean_n sum_d (ln(s0 / s) + (s^2 + m^2) / (2 s0^2) - 1/2)`
 *
 * On wasm one pass computes the value and one the gradients; no array of the inputs' size is made
 * besides the gradients themselves. At `spread = ceiling` the gradient is that from below.
 *
 * @param mean - `[N, D]`.
 * @param spread - `[N, D]`.
 * @returns scalar, nats, >= 0.
 * @throws {ShapeError} when the shapes disagree.
 */
export function gaussianKl(
  mean: tf.Tensor2D,
  spread: tf.Tensor2D,
  { prior = 1, squashed }: GaussianKlOptions = {},
): tf.Scalar {
  const sizes = assertShape(mean, 'N D', 'mean');
  assertShape(spread, 'N D', 'spread', sizes);
  assertDtype(mean, 'float32', 'mean');
  assertDtype(spread, 'float32', 'spread');
  if (hasKernel('LabGaussianKl')) {
    const { ceiling = 0, offset = 0, slope = 0 } = squashed ?? {};
    const attributes = {
      prior,
      isSquashed: Number(squashed !== undefined),
      ceiling,
      offset,
      slope,
    };
    return runSingle('LabGaussianKl', { mean, spread }, attributes);
  }
  return tf.tidy(() => {
    const sum = sumOverRowBlocks([mean, spread], (m, x) =>
      divergences(m!, x!, { prior, squashed }),
    );
    return tf.div<tf.Scalar>(sum, Math.max(1, mean.shape[0]));
  });
}

/** The sum of the divergences of some rows, composed of stock operations. */
function divergences(
  mean: tf.Tensor,
  spread: tf.Tensor,
  { prior, squashed }: { prior: number; squashed: SquashedDeviation | undefined },
): tf.Scalar {
  const log = squashed === undefined ? tf.log(spread) : squashedLog(spread, squashed); // [n, D]
  const square = squashed === undefined ? tf.square(spread) : tf.exp(tf.mul(log, 2));
  const squares = tf.mul(tf.add(square, tf.square(mean)), 0.5 / prior ** 2);
  return tf.sum(tf.add(tf.sub(squares, log), Math.log(prior) - 0.5));
}

function squashedLog(spread: tf.Tensor, { ceiling, offset, slope }: SquashedDeviation): tf.Tensor {
  return tf.add(tf.mul(tf.softplus(tf.minimum(spread, ceiling)), slope), offset);
}
