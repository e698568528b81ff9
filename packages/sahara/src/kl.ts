/**
 * How far a distribution over next tokens moves.
 */

/**
 * How a divergence is computed: `stable` from logarithms in float64; `official` as the released
 * code, probabilities in float32 to each of which 1e-12 is added.
 */
export type Numerics = 'official' | 'stable';

const ADDED = 1e-12;

/**
 * Divergence of two distributions: `KL(p || q) = sum_v p_v log(p_v / q_v)`.
 * Source: paper, eq. 9: p of the intact model, q of the ablated one.
 *
 * @param p - probabilities, `[V]`.
 * @param q - probabilities, `[V]`; 0 only where p is 0.
 * @returns nats, >= 0.
 */
export function klDivergence(
  p: ArrayLike<number>,
  q: ArrayLike<number>,
  numerics: Numerics = 'stable',
): number {
  const added = numerics === 'official' ? ADDED : 0;
  let sum = 0;
  for (let token = 0; token < p.length; token += 1) {
    const own = p[token]! + added;
    if (own > 0) sum += own * Math.log(own / (q[token]! + added));
  }
  return Math.max(0, sum);
}

/** Divergences of one distribution from others. */
export interface DivergenceFrom {
  /** Nats, >= 0, or NaN where logits are not finite. */
  to(logits: Float32Array): number;
  /** The most probable token. */
  readonly token: number;
  /** Of the most probable token. */
  readonly probability: number;
}

/** The divergence of the distribution of some logits from those of other logits, `[V]` each. */
export function divergenceFrom(logits: Float32Array, numerics: Numerics): DivergenceFrom {
  const own = Float32Array.from(logits);
  const { most, logSum } = logSumOf(own);
  const token = own.indexOf(most);
  const p = new Float64Array(own.length);
  for (let at = 0; at < p.length; at += 1) p[at] = Math.exp(own[at]! - logSum);
  const probability = p[token] ?? Number.NaN;
  if (numerics === 'official') {
    const rounded = Float32Array.from(p);
    const to = (other: Float32Array) => klDivergence(rounded, softmaxOf(other), 'official');
    return { to: (other) => (isFiniteSum(other) ? to(other) : Number.NaN), token, probability };
  }
  const to = (other: Float32Array) => {
    // A change of all logits together is none; that of the first token is taken off.
    return stableDivergence(p, { own, other, shift: other[token]! - own[token]! });
  };
  return { to, token, probability };
}

/** Differences of logits below which a polynomial is exact to 1e-8 of its value. */
const SMALL = 0.25;

/**
 * `KL = log sum_v p_v exp(d_v) - sum_v p_v d_v`, d what logits change by. Without its first two
 * terms the exponential keeps the digits of small changes, and needs no exponential there.
 */
function stableDivergence(
  p: Float64Array,
  {
    own,
    other,
    shift,
  }: { readonly own: Float32Array; readonly other: Float32Array; readonly shift: number },
): number {
  let [mean, rest] = [0, 0];
  for (let at = 0; at < p.length; at += 1) {
    const d = other[at]! - own[at]! - shift;
    mean += p[at]! * d;
    const bent =
      d < SMALL && d > -SMALL
        ? d * d * (1 / 2 + d * (1 / 6 + d * (1 / 24 + d * (1 / 120 + d * (1 / 720 + d / 5040)))))
        : Math.exp(d) - 1 - d;
    rest += p[at]! * bent;
  }
  const divergence = Math.log1p(mean + rest) - mean;
  return Number.isNaN(divergence) ? divergence : Math.max(0, divergence);
}

/** The largest of the logits, and the logarithm of the sum of their exponentials. */
function logSumOf(logits: Float32Array): { readonly most: number; readonly logSum: number } {
  let most = -Infinity;
  for (let at = 0; at < logits.length; at += 1) if (logits[at]! > most) most = logits[at]!;
  let sum = 0;
  for (let at = 0; at < logits.length; at += 1) sum += Math.exp(logits[at]! - most);
  return { most, logSum: most + Math.log(sum) };
}

/** Probabilities in float32. */
function softmaxOf(logits: Float32Array): Float32Array {
  const { logSum } = logSumOf(logits);
  return logits.map((value) => Math.exp(value - logSum));
}

const isFiniteSum = (values: Float32Array): boolean =>
  Number.isFinite(values.reduce((sum, value) => sum + value, 0));
