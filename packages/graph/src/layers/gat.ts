import { type CsrTensors, graphAttention, tf } from '@lab/tensor';

/** Weights of a graph attention layer with one diagonal weight matrix per head. */
export interface DiagonalAttentionWeights {
  /** w, `[K, D]`. */
  readonly weights: tf.Tensor2D;
  /** a, `[K, 2D]`: first the part of the receiving, then of the sending node. */
  readonly attention: tf.Tensor2D;
}

/** Weights of one head of a graph attention layer with a full weight matrix. */
export interface FullAttentionHead {
  /** W, `[I, O]`. */
  readonly weight: tf.Tensor2D;
  /** a, `[2O]`: first the part of the receiving, then of the sending node. */
  readonly attention: tf.Tensor1D;
}

/** Options of an attention layer. */
export interface AttentionOptions {
  /** Slope of LeakyReLU at negative scores, default 0.2. */
  readonly slope?: number;
  /**
   * Sign of the score in the exponent: -1 as in the reference code of EVA and its successors
   * (default), 1 as in the paper that introduced graph attention.
   */
  readonly sign?: -1 | 1;
}

function slopes(options: AttentionOptions): { positiveSlope: number; negativeSlope: number } {
  const { slope = 0.2, sign = -1 } = options;
  return { positiveSlope: sign, negativeSlope: sign * slope };
}

/**
 * Graph attention with diagonal weights, heads averaged: `[N, D]`.
 *
 * `h_k = x * w_k`, `c_ij = exp(sign * LeakyReLU(a_k . [h_i ; h_j]))`,
 * `out_i = mean_k sum_j c_ij h_j / sum_j c_ij` over the entries j of row i.
 * Source: sutaoyu/IBMEA, `MultiHeadGraphAttention` with `diag`; equation not verified.
 * Lean form: `a . [h_i ; h_j]` is the sum of two numbers, one per node, so no `[E, 2D]` array is
 * built.
 *
 * @param x - features `[N, D]`.
 * @param layer - w `[K, D]`, a `[K, 2D]`, K at most 8.
 * @param graph - pattern `[N, N]` (with self loops, so that no row is empty), and options.
 */
export function diagonalAttention(
  x: tf.Tensor2D,
  layer: DiagonalAttentionWeights,
  graph: AttentionOptions & { readonly csr: CsrTensors },
): tf.Tensor2D {
  return tf.tidy(() => {
    const { weights, attention } = layer;
    const [heads, width] = weights.shape;
    const pairs = tf.reshape(attention, [heads, 2, width]);
    return graphAttention({
      features: x,
      scoreVectors: tf.mul(pairs, tf.reshape(weights, [heads, 1, width])) as tf.Tensor3D,
      headWeights: weights,
      csr: graph.csr,
      ...slopes(graph),
    });
  });
}

function fullHead(
  x: tf.Tensor2D,
  head: FullAttentionHead,
  graph: AttentionOptions & { readonly csr: CsrTensors },
): tf.Tensor2D {
  const features: tf.Tensor2D = tf.matMul(x, head.weight); // [N, O]
  return graphAttention({
    features,
    scoreVectors: tf.reshape(head.attention, [1, 2, head.weight.shape[1]]) as tf.Tensor3D,
    csr: graph.csr,
    ...slopes(graph),
  });
}

/**
 * Graph attention with a full weight matrix per head; heads side by side `[N, K * O]` (between
 * layers) or averaged `[N, O]` (last layer).
 *
 * `h_k = x W_k`, then as in {@link diagonalAttention}.
 * Source: sutaoyu/IBMEA, `MultiHeadGraphAttention` without `diag`; equation not verified.
 *
 * @param x - features `[N, I]`.
 * @param heads - one entry per head, all of the same shapes.
 * @param graph - pattern `[N, N]`, options, and `combine`: `concat` or `mean` (default).
 */
export function fullAttention(
  x: tf.Tensor2D,
  heads: readonly FullAttentionHead[],
  graph: AttentionOptions & { readonly csr: CsrTensors; readonly combine?: 'concat' | 'mean' },
): tf.Tensor2D {
  return tf.tidy(() => {
    const outputs = heads.map((head) => fullHead(x, head, graph));
    if (graph.combine === 'concat') return tf.concat(outputs, 1) as tf.Tensor2D;
    return tf.div(tf.addN(outputs), heads.length) as tf.Tensor2D;
  });
}
