import { ShapeError } from '@lab/core';
import { hasKernel, runKernel } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import type { CsrTensors } from './csr.js';
import { segmentSoftmax } from './segment.js';
import { csrMatMul } from './sparse.js';

/** Input of {@link graphAttention}. */
export interface GraphAttentionInput {
  /** x, `[N, D]`: what the neighbours send. */
  readonly features: tf.Tensor2D;
  /** a, `[K, 2, D]`: per head what scores the receiving node, then what scores the sending one. */
  readonly scoreVectors: tf.Tensor3D;
  /** w, `[K, D]`: one diagonal weight per head; default all ones. */
  readonly headWeights?: tf.Tensor2D;
  /** Row i lists the nodes that node i receives from, `[N, N]`; entry values are ignored. */
  readonly csr: CsrTensors;
  /** Factor of scores above 0; 1 in LeakyReLU. */
  readonly positiveSlope: number;
  /** Factor of scores at or below 0; 0.2 in the usual LeakyReLU. */
  readonly negativeSlope: number;
}

/** Most heads that the kernel takes. */
const MAX_HEADS = 8;

function checkInput(input: GraphAttentionInput): number {
  const { features, scoreVectors, headWeights, csr } = input;
  if (csr.rowCount !== csr.columnCount) {
    throw new ShapeError(
      `tensor: graph attention needs a square pattern, got ${csr.rowCount} x ${csr.columnCount}.`,
      { expected: 'N x N', got: `${csr.rowCount} x ${csr.columnCount}` },
    );
  }
  let sizes = assertShape(features, 'N D', 'features', { N: csr.rowCount });
  sizes = assertShape(scoreVectors, 'K 2 D', 'scoreVectors', sizes);
  if (headWeights !== undefined) assertShape(headWeights, 'K D', 'headWeights', sizes);
  for (const [name, x] of Object.entries({ features, scoreVectors })) {
    assertDtype(x, 'float32', name);
  }
  const heads = sizes['K'] as number;
  if (heads < 1 || heads > MAX_HEADS) {
    throw new ShapeError(`tensor: graph attention takes 1 to ${MAX_HEADS} heads, got ${heads}.`, {
      expected: `1 .. ${MAX_HEADS}`,
      got: String(heads),
    });
  }
  return heads;
}

/** Scores of one head's nodes on one side, gathered for every entry: `[E]`. */
function edgeScores(
  { features, scoreVectors }: GraphAttentionInput,
  [head, side]: [head: number, side: 0 | 1],
  ids: tf.Tensor1D,
): tf.Tensor1D {
  const vector = tf.reshape(tf.slice(scoreVectors, [head, side, 0], [1, 1, -1]), [-1, 1]);
  const scores = tf.matMul(features, vector as tf.Tensor2D);
  return tf.gather(tf.reshape(scores, [-1]), ids) as tf.Tensor1D;
}

function headOutput(input: GraphAttentionInput, k: number): tf.Tensor2D {
  const { csr, features, headWeights, positiveSlope, negativeSlope } = input;
  const sum = tf.add(edgeScores(input, [k, 0], csr.rows), edgeScores(input, [k, 1], csr.columns));
  const sloped = tf.where(
    tf.greater(sum, 0),
    tf.mul(sum, positiveSlope),
    tf.mul(sum, negativeSlope),
  ) as tf.Tensor1D;
  const coefficients = segmentSoftmax(sloped, csr.rows, csr.rowCount);
  const collected = csrMatMul(csr, features, coefficients);
  if (headWeights === undefined) return collected;
  return tf.mul(collected, tf.slice(headWeights, [k, 0], [1, -1])) as tf.Tensor2D;
}

/** The layer head by head, from the other ops of this package. */
function composedAttention(input: GraphAttentionInput, heads: number): tf.Tensor2D {
  return tf.tidy(() => {
    const outputs = Array.from({ length: heads }, (_, k) => headOutput(input, k));
    return tf.div(tf.addN(outputs), heads) as tf.Tensor2D;
  });
}

/**
 * Attention over the neighbours of each node, averaged over heads.
 *
 * `y_i = 1/K sum_k w_k * sum_(j in N(i)) a_kij x_j`,
 * `a_kij = softmax_j f(a_k0 . x_i + a_k1 . x_j)`,
 * `f(u) = u > 0 ? positiveSlope u : negativeSlope u`.
 * A node without neighbours gives zeros. Gradients for features, score vectors and head weights.
 * Source: Velickovic et al., Graph Attention Networks, equations 1 to 4; the score of a pair of
 * concatenated rows is the sum of two products, one for each node.
 * On wasm one fused kernel: nothing of size `[E, D]` is made, the coefficients `[E, K]` and scores
 * `[N, K, 2]` are all that is kept for the backward pass.
 *
 * @returns `[N, D]`.
 * @throws {ShapeError} when shapes disagree or K is not in 1 .. 8.
 */
export function graphAttention(input: GraphAttentionInput): tf.Tensor2D {
  const heads = checkInput(input);
  if (!hasKernel('LabGraphAttention')) return composedAttention(input, heads);
  const { features, scoreVectors, headWeights, ...attributes } = input;
  const tensors: tf.NamedTensorMap = { features, scoreVectors };
  const [output, ...kept] =
    headWeights === undefined
      ? runKernel('LabGraphAttention', tensors, { ...attributes })
      : runKernel('LabGraphAttentionWeighted', { ...tensors, headWeights }, { ...attributes });
  tf.dispose(kept);
  return output as tf.Tensor2D;
}
