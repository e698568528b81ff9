/**
 * The global step of the method in stock operations, for the gradients of what comes before it: the
 * golden gradients are those of the loss on the final embeddings.
 */
import type { Parameters } from '@lab/tensor';
import { l2NormalizeRows, segmentSoftmax, segmentSum, tf } from '@lab/tensor';
import { type Golden, integersOf } from './golden-file.js';

const LAYERS = 2;

interface Pairs {
  readonly rows: tf.Tensor1D;
  readonly neighbours: tf.Tensor1D;
  /** r of each pair, `[E, D]`. */
  readonly vectors: tf.Tensor2D;
}

/** States after each layer: `tanh(sum_j a_ij (h_j - 2 (h_j . r_ij) r_ij))`. */
function propagate(start: tf.Tensor2D, pairs: Pairs, kernels: tf.Tensor[]): tf.Tensor2D[] {
  const entityCount = start.shape[0];
  const states = [tf.tanh(start)];
  for (const kernel of kernels) {
    const column = tf.reshape(kernel, [-1, 1]) as tf.Tensor2D;
    const logits = tf.reshape(tf.matMul(pairs.vectors, column), [-1]) as tf.Tensor1D;
    const attention = tf.reshape(segmentSoftmax(logits, pairs.rows, entityCount), [-1, 1]);
    const sender = tf.gather(states.at(-1)!, pairs.neighbours);
    const along = tf.sum(tf.mul(sender, pairs.vectors), 1, true);
    const reflected = tf.sub(sender, tf.mul(tf.mul(along, 2), pairs.vectors));
    const messages = tf.mul<tf.Tensor2D>(reflected, attention);
    states.push(tf.tanh(segmentSum(messages, pairs.rows, entityCount)));
  }
  return states;
}

/** Mean of the entity embeddings over an entity and its neighbours, `[N, D]`. */
function neighbourhood(entity: tf.Tensor2D, pairs: readonly [number, number][]): tf.Tensor2D {
  const count = entity.shape[0];
  const pattern = tf.buffer([count, count], 'float32');
  for (let i = 0; i < count; i += 1) pattern.set(1, i, i);
  for (const [i, j] of pairs) pattern.set(1, i, j);
  const dense = pattern.toTensor() as tf.Tensor2D;
  return tf.matMul(tf.div(dense, tf.sum(dense, 1, true)) as tf.Tensor2D, entity);
}

/** r of each relation set: the mean of its relations at length 1, `[U, D]`. */
function setVectors(relation: tf.Tensor2D, golden: Golden): tf.Tensor2D {
  const offsets = integersOf(golden, 'setOffsets');
  const members = integersOf(golden, 'setRelations');
  const means = Array.from({ length: offsets.length - 1 }, (_, set) => {
    const ids = tf.tensor1d(members.subarray(offsets[set]!, offsets[set + 1]!), 'int32');
    return tf.mean(tf.gather(relation, ids), 0);
  });
  return l2NormalizeRows(tf.stack(means) as tf.Tensor2D);
}

/** Final embeddings from fused vectors f `[N, D]` and early feature g `[N, M D]`. */
export function finalEmbeddings(
  local: { readonly fused: tf.Tensor2D; readonly early: tf.Tensor2D },
  parameters: Parameters,
  golden: Golden,
): tf.Tensor2D {
  const flat = Array.from(integersOf(golden, 'pairs'));
  const pairs = flat.flatMap((row, at): [number, number][] =>
    at % 2 === 0 ? [[row, flat[at + 1]!]] : [],
  );
  const sets = setVectors(parameters.get('relation') as tf.Tensor2D, golden);
  const network = {
    rows: tf.tensor1d(
      pairs.map(([row]) => row),
      'int32',
    ),
    neighbours: tf.tensor1d(
      pairs.map(([, column]) => column),
      'int32',
    ),
    vectors: tf.gather(sets, tf.tensor1d(integersOf(golden, 'pairSet'), 'int32')),
  };
  const kernelsOf = (encoder: string) =>
    Array.from({ length: LAYERS }, (_, l) => parameters.get(`${encoder}.kernel.layer${l}`));
  const around = neighbourhood(parameters.get('entity') as tf.Tensor2D, pairs);
  const structure = propagate(around, network, kernelsOf('structure'));
  const joint = propagate(local.fused, network, kernelsOf('joint')).slice(1);
  return tf.concat([...structure, tf.tanh(local.early), ...joint], 1) as tf.Tensor2D;
}
