import {
  assertShape,
  createCsr,
  type CsrTensors,
  csrMatMul,
  csrSampledProduct,
  l2NormalizeRows,
  segmentSoftmax,
  tf,
} from '@lab/tensor';
import { countMatrix } from '../csr.js';
import { entryIndex, type RelationPairs } from '../relation-pairs.js';

/**
 * The pairs of {@link RelationPairs} as the sparse patterns that the layer multiplies by: N
 * receivers and C senders, the same entities in a whole graph.
 */
export interface ReflectionPattern {
  /** `[N, C]`, E entries: pair e = (i, j) is entry e, in row i and column j. */
  readonly neighbours: CsrTensors;
  /** `[N, U]`, E entries: pair e is entry e, in row i and the column of its set. */
  readonly receivers: CsrTensors;
  /** `[C, U]`, at most E entries: the distinct (j, set) of all pairs. */
  readonly senders: CsrTensors;
  /** Entry of `senders` that belongs to each pair, int32 `[E]`. */
  readonly senderEntries: tf.Tensor1D;
  /** `[U, R]`: row u averages over the relations of set u. */
  readonly averaging: CsrTensors;
  dispose(): void;
}

/**
 * The patterns of {@link reflectionAttention} as tensors, which outlive `tf.tidy`; call
 * `dispose()` when done, and not before a backward pass that uses them.
 *
 * @param pairs - pairs and sets of a graph, or of a block of it, whose receivers and senders are
 *   numbered apart.
 */
export function createReflectionPattern(pairs: RelationPairs): ReflectionPattern {
  const { neighbours, sets } = pairs;
  const { rowCount, rowPointers } = neighbours;
  const setCount = pairs.averaging.rowCount;
  const size = { rowCount: neighbours.columnCount, columnCount: setCount };
  const senders = countMatrix({ ...size, rows: neighbours.columns, columns: sets });
  const entries = sets.map((set, e) => entryIndex(senders, neighbours.columns[e] as number, set));
  const matrices = {
    neighbours: createCsr(neighbours),
    receivers: createCsr({ rowCount, columnCount: setCount, rowPointers, columns: sets }),
    senders: createCsr({ ...size, rowPointers: senders.rowPointers, columns: senders.columns }),
    averaging: createCsr(pairs.averaging),
  };
  const senderEntries = tf.keep(tf.tensor1d(entries, 'int32'));
  return {
    ...matrices,
    senderEntries,
    dispose() {
      for (const matrix of Object.values(matrices)) matrix.dispose();
      senderEntries.dispose();
    },
  };
}

/**
 * The normal of the hyperplane of each set of relations, of length 1: `[U, D]`.
 *
 * `r_u = m_u / max(|m_u|, 1e-12)`, `m_u = mean of rho_k over the relations k of set u`.
 * Source: LoginMEA (ECAI 2024), released code, after RREA (CIKM 2020) and Dual-AMN (WWW 2021);
 * equation not verified.
 *
 * @param relations - rho, embeddings of the directed relations, `[R, D]`.
 * @param pattern - pairs and sets of the graph.
 * @throws {ShapeError} when rho has not R rows.
 */
export function relationVectors(
  relations: tf.Tensor2D,
  pattern: Pick<ReflectionPattern, 'averaging'>,
): tf.Tensor2D {
  return tf.tidy(() => l2NormalizeRows(csrMatMul(pattern.averaging, relations)));
}

/** Inputs of {@link reflectionAttention} besides the features. */
export interface ReflectionInput {
  readonly pattern: ReflectionPattern;
  /** r, rows of length 1, `[U, D]`, from {@link relationVectors}. */
  readonly setVectors: tf.Tensor2D;
  /** k, `[D]`: scores the relations of a pair. */
  readonly kernel: tf.Tensor1D;
}

/**
 * Weight of each pair in the sum of its receiving entity: `[E]`, 1 in total for every entity that
 * has a neighbour.
 *
 * `a_ij = exp(r_ij . k) / sum_j' exp(r_ij' . k)`: only the relations decide, not the entities.
 * Source: Dual-AMN (WWW 2021) and LoginMEA (ECAI 2024), released code; equation not verified.
 *
 * @param input - patterns, set vectors `[U, D]`, kernel `[D]`.
 * @throws {ShapeError} when shapes disagree.
 */
export function reflectionWeights({ pattern, setVectors, kernel }: ReflectionInput): tf.Tensor1D {
  const { columns, rows, rowCount, columnCount } = pattern.receivers;
  const sizes = assertShape(setVectors, `${columnCount} D`, 'setVectors');
  assertShape(kernel, 'D', 'kernel', sizes);
  return tf.tidy(() => {
    const scores = tf.matMul(setVectors, tf.reshape(kernel, [-1, 1]) as tf.Tensor2D); // [U, 1]
    const perPair = tf.gather(tf.reshape(scores, [-1]), columns) as tf.Tensor1D; // [E]
    return segmentSoftmax(perPair, rows, rowCount);
  });
}

/**
 * Attention over neighbours that are reflected in the hyperplane of the relations of their pair:
 * `[N, D]`; zeros for an entity without neighbours.
 *
 * `out_i = tanh(sum_j a_ij (h_j - 2 (h_j . r_ij) r_ij))` with `a_ij` of {@link reflectionWeights}
 * and `r_ij = r_u`, u the set of the pair.
 * Source: LoginMEA (ECAI 2024), released code, after RREA (CIKM 2020), which scores by
 * `[h_i ; h_j ; r_ij]`, and Dual-AMN (WWW 2021), which scores by `r_ij`; equation not verified.
 * Lean form: the sum is `A h + B r`, with A `[N, C]` of values `a_ij` and B `[N, U]` of values
 * `-2 a_ij (h_j . r_u)`. A dot product is made once for each distinct (j, u). On wasm no `[E, D]`
 * array is made, neither forward nor backward.
 *
 * @param h - features of the senders, `[C, D]`; C is N in a whole graph.
 * @param input - patterns, set vectors `[U, D]` of length 1, kernel `[D]`.
 * @throws {ShapeError} when shapes disagree.
 */
export function reflectionAttention(h: tf.Tensor2D, input: ReflectionInput): tf.Tensor2D {
  const { pattern, setVectors } = input;
  const sizes = assertShape(h, `${pattern.neighbours.columnCount} D`, 'h');
  assertShape(setVectors, `${pattern.receivers.columnCount} D`, 'setVectors', sizes);
  return tf.tidy(() => {
    const weights = reflectionWeights(input); // [E]
    const products = csrSampledProduct(pattern.senders, h, setVectors);
    const perPair = tf.gather(products, pattern.senderEntries) as tf.Tensor1D; // [E]
    const direct = csrMatMul(pattern.neighbours, h, weights); // [N, D]
    const along = tf.mul(tf.mul(weights, perPair), -2) as tf.Tensor1D;
    const mirrored = csrMatMul(pattern.receivers, setVectors, along); // [N, D]
    return tf.tanh(tf.add(direct, mirrored)) as tf.Tensor2D;
  });
}
