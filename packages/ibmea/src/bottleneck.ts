/**
 * The information bottleneck: every modality of an entity is a Gaussian, and its distance to a
 * prior is the price of what it tells.
 *
 * A posterior is `q(z | x) = N(mean, scale^2)` per entity and dimension. The price is an upper
 * bound of the mutual information `I(Z; X)`: the KL divergence from the posterior to a fixed
 * Gaussian prior, summed over dimensions and averaged over entities.
 */
import { gatherRows, gaussianKl, tf } from '@lab/tensor';

/** A diagonal Gaussian per entity; without `scale` the modality is deterministic. */
export interface Posterior {
  /** Mean, shape `[N, D]`. */
  readonly mean: tf.Tensor2D;
  /** Standard deviation, shape `[N, D]`, or null for a plain encoder. */
  readonly scale: tf.Tensor2D | null;
}

/** Where the released code cuts the deviation before it enters the KL divergence. */
const CLAMP = 0.4;

/** The released code's deviation: `ln s = 0.1 + 0.9 softplus(min(sigma, 0.4))`. */
const officialDeviation = { ceiling: CLAMP, offset: 0.1, slope: 0.9 };

/**
 * Standard deviation of the released code's prior, 2.5136.
 *
 * The code passes 1 as the prior's "log sigma" through the same clamp as the posterior's, so
 * `s0 = exp(0.1 + 0.9 softplus(0.4))`.
 * Source: sutaoyu/IBMEA, `src/models.py`, `_kld_gauss`; equation not verified.
 */
export const officialPriorScale = Math.exp(0.1 + 0.9 * Math.log1p(Math.exp(CLAMP)));

/**
 * Samples of the posterior at some rows.
 *
 * `z = mean + noise * scale` (reparameterisation); without a scale the mean itself.
 * Source: sutaoyu/IBMEA, `src/models.py`; equation not verified.
 *
 * @param posterior - mean and scale, `[N, D]`.
 * @param rows - entities, int32 `[B]`.
 * @param noise - draws for these rows, `[B, D]`, or null for the mean.
 * @returns samples, `[B, D]`.
 */
export function sampleRows(
  posterior: Posterior,
  rows: tf.Tensor1D,
  noise: tf.Tensor2D | null,
): tf.Tensor2D {
  const mean = gatherRows(posterior.mean, rows); // [B, D]
  if (posterior.scale === null || noise === null) return mean;
  const scale = gatherRows(posterior.scale, rows); // [B, D]
  const drawn = tf.mul(noise, scale);
  const samples = tf.add<tf.Tensor2D>(mean, drawn);
  tf.dispose([mean, scale, drawn]);
  return samples;
}

/**
 * KL divergence to the standard normal, summed over dimensions and averaged over entities.
 *
 * `KL = mean_n sum_d ((s^2 + m^2 - 1) / 2 - ln s)`
 * Source: closed form for diagonal Gaussians.
 *
 * @param mean - `[N, D]`.
 * @param scale - standard deviation, `[N, D]`, > 0.
 * @returns scalar, nats, >= 0.
 */
export function klToStandardNormal(mean: tf.Tensor2D, scale: tf.Tensor2D): tf.Scalar {
  return gaussianKl(mean, scale);
}

/**
 * KL divergence of the released code, summed over dimensions and averaged over entities.
 *
 * `KL = mean_n sum_d (ln(s0 / s) + (s^2 + m^2) / (2 s0^2) - 1/2)` with
 * `s = exp(0.1 + 0.9 softplus(min(sigma, 0.4)))` and `s0 = 2.5136`.
 * Deviation: not of this function but of the released code from a bottleneck: above 0.4 the
 * deviation has no gradient, and the prior is N(0, 2.51^2).
 * Source: sutaoyu/IBMEA, `src/models.py`, `_kld_gauss`; equation not verified.
 *
 * @param mean - `[N, D]`.
 * @param sigma - what the encoder calls standard deviation, `[N, D]`; may be negative.
 * @param repair - replace NaN by 0 (mean) and 1 (sigma) and clip infinities, as the code does.
 * @returns scalar, nats.
 */
export function klOfficial(mean: tf.Tensor2D, sigma: tf.Tensor2D, repair = false): tf.Scalar {
  const options = { prior: officialPriorScale, squashed: officialDeviation };
  if (!repair) return gaussianKl(mean, sigma, options);
  return tf.tidy(() =>
    gaussianKl(
      repairNonFinite(mean, 0) as tf.Tensor2D,
      repairNonFinite(sigma, 1) as tf.Tensor2D,
      options,
    ),
  );
}

/** The tensor with NaN replaced and infinities clipped to the largest finite f32. */
function repairNonFinite(x: tf.Tensor, replacement: number): tf.Tensor {
  const largest = 3.4e38;
  return tf.clipByValue(tf.where(tf.isNaN(x), tf.fill(x.shape, replacement), x), -largest, largest);
}

/** Number of entries that are NaN or infinite. */
export async function countNonFinite(x: tf.Tensor): Promise<number> {
  const count = tf.tidy(() => tf.sum(tf.cast(tf.logicalNot(tf.isFinite(x)), 'int32')));
  const value = (await count.data())[0]!;
  count.dispose();
  return value;
}
