/**
 * Proxy matching: what an embedding shares with a few proxies of the whole data is taken out of it.
 */
import type { Random } from '@lab/core';
import {
  assertShape,
  l2NormalizeRows,
  linear,
  type Parameters,
  recompute,
  softmax,
  tf,
  xavierUniform,
  zeros,
} from '@lab/tensor';

/** Parameters of {@link proxyMatching}, W the width of the embeddings. */
export interface ProxyParameters {
  /** p, `[P, W]`. */
  readonly vectors: tf.Tensor2D;
  /** Weight of the gate, `[W, W]`. */
  readonly gateWeight: tf.Tensor2D;
  /** Bias of the gate, `[W]`. */
  readonly gateBias: tf.Tensor1D;
}

/**
 * Embeddings after proxy matching.
 *
 * `beta_i = softmax over the proxies of cos(o_i, p)`, `o'_i = o_i - beta_i p`,
 * `gate_i = sigmoid(o'_i W + b)`, result `gate_i * o_i + (1 - gate_i) * o'_i`.
 * Source: Dual-AMN (WWW 2021), released code; equation not verified.
 * Deviation: the released code of LoginMEA has a flag for it and no such layer; here it is an
 * option, off unless asked for.
 *
 * What is inside is computed again in the backward pass: between the passes only the embeddings
 * and the result exist.
 *
 * @param embeddings - o, `[N, W]`.
 * @returns `[N, W]`.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function proxyMatching(
  embeddings: tf.Tensor2D,
  { vectors, gateWeight, gateBias }: ProxyParameters,
): tf.Tensor2D {
  const sizes = assertShape(vectors, 'P W', 'vectors', assertShape(embeddings, 'N W'));
  assertShape(gateWeight, 'W W', 'gateWeight', sizes);
  assertShape(gateBias, 'W', 'gateBias', sizes);
  return recompute([embeddings, vectors, gateWeight, gateBias], (...inputs) => {
    const [o, p, weight, bias] = inputs as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const cosines = tf.matMul(l2NormalizeRows(o), l2NormalizeRows(p), false, true); // [N, P]
    const shared = tf.matMul(softmax(cosines), p); // [N, W]
    const gate = tf.sigmoid(linear(tf.sub(o, shared), weight, bias));
    // gate o + (1 - gate) (o - shared)
    return tf.sub<tf.Tensor2D>(o, tf.mul(shared, tf.sub(1, gate)));
  });
}

/**
 * Adds `proxy.vectors`, `proxy.gate.weight` and `proxy.gate.bias`, each drawn from the stream of
 * its own name.
 *
 * Starts: vectors and gate Xavier-uniform, bias 0.
 * Source: Dual-AMN (WWW 2021), released code; equation not verified.
 *
 * @param sizes - P and W.
 */
export function addProxyParameters(
  parameters: Parameters,
  [proxyCount, width]: readonly [number, number],
  random: Random,
): void {
  const [vectors, weight] = ['proxy.vectors', 'proxy.gate.weight'] as const;
  parameters.add(vectors, xavierUniform([proxyCount, width], random.fork(vectors)));
  parameters.add(weight, xavierUniform([width, width], random.fork(weight)));
  parameters.add('proxy.gate.bias', zeros([width]));
}

/** The parameters of the proxies among those of a model. */
export function proxyParameters(parameters: Pick<Parameters, 'get'>): ProxyParameters {
  return {
    vectors: parameters.get('proxy.vectors') as tf.Tensor2D,
    gateWeight: parameters.get('proxy.gate.weight') as tf.Tensor2D,
    gateBias: parameters.get('proxy.gate.bias') as tf.Tensor1D,
  };
}
