import { assertShape, createCsr, csrMatMul, csrSampledProduct, tf } from '@lab/tensor';
import { countMatrix } from '../csr.js';
import { entryIndex, type RelationPairs } from '../relation-pairs.js';
import { type ReflectionInput, type ReflectionPattern, reflectionWeights } from './reflection.js';

/**
 * The patterns of {@link reflectBlock}: those of `createReflectionPattern`, for pairs whose
 * receivers and senders are numbered apart, `[R, C]`. They outlive `tf.tidy`; call `dispose()` when
 * done, and not before a backward pass that uses them.
 *
 * @param pairs - `neighbours` of R receivers and C senders.
 */
export function createBlockPattern(pairs: RelationPairs): ReflectionPattern {
  const { neighbours, sets } = pairs;
  const setCount = pairs.averaging.rowCount;
  const size = { rowCount: neighbours.columnCount, columnCount: setCount };
  const senders = countMatrix({ ...size, rows: neighbours.columns, columns: sets });
  const entries = sets.map((set, e) => entryIndex(senders, neighbours.columns[e] as number, set));
  const { rowCount, rowPointers } = neighbours;
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
 * Some rows of `reflectionAttention` from the rows that they read: `[R, D]`; zeros for an entity
 * without neighbours.
 *
 * `out_i = tanh(sum_j a_ij (h_j - 2 (h_j . r_ij) r_ij))`: the equation of `reflectionAttention`.
 * Source: LoginMEA (ECAI 2024), released code, after RREA (CIKM 2020) and Dual-AMN (WWW 2021);
 * equation not verified.
 *
 * @param h - features of the C senders, `[C, D]`.
 * @param input - patterns `[R, C]` of {@link createBlockPattern}, set vectors `[U, D]` of length 1,
 *   kernel `[D]`.
 * @throws {ShapeError} when shapes disagree.
 */
export function reflectBlock(h: tf.Tensor2D, input: ReflectionInput): tf.Tensor2D {
  const { pattern, setVectors } = input;
  const sizes = assertShape(h, `${pattern.neighbours.columnCount} D`, 'h');
  assertShape(setVectors, `${pattern.receivers.columnCount} D`, 'setVectors', sizes);
  return tf.tidy(() => {
    const weights = reflectionWeights(input); // [E]
    const products = csrSampledProduct(pattern.senders, h, setVectors);
    const perPair = tf.gather(products, pattern.senderEntries) as tf.Tensor1D; // [E]
    const direct = csrMatMul(pattern.neighbours, h, weights); // [R, D]
    const along = tf.mul(tf.mul(weights, perPair), -2) as tf.Tensor1D;
    const mirrored = csrMatMul(pattern.receivers, setVectors, along); // [R, D]
    return tf.tanh(tf.add(direct, mirrored)) as tf.Tensor2D;
  });
}
