/**
 * The weights of a T5, by their names.
 */
import { tf } from '@lab/tensor';
import type { Linear, Norm } from '../weights/block-weights.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { matchWeights, type WeightList } from '../weights/expected-weights.js';
import type { T5Architecture } from './t5-config.js';

/** One attention. */
export interface T5Attention {
  readonly norm: Norm;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
}

/** A block of either side. */
export interface T5Block {
  readonly own: T5Attention;
  /** Attention over the encoder's rows; of the decoder alone. */
  readonly cross: T5Attention | null;
  readonly mlpNorm: Norm;
  readonly gate: Linear | null;
  readonly up: Linear;
  readonly down: Linear;
}

/** One side. */
export interface T5Stack {
  readonly blocks: readonly T5Block[];
  /** Biases of distances, `[buckets, H]`. */
  readonly distances: tf.Tensor2D;
  readonly norm: Norm;
}

/** All weights of a T5. */
export interface T5Weights {
  readonly embedding: tf.Tensor2D;
  readonly encoder: T5Stack;
  readonly decoder: T5Stack;
  /** Null where the embedding is the output's, too. */
  readonly output: tf.Tensor2D | null;
}

const OUTPUT = 'lm_head.weight';

function expectedT5(architecture: T5Architecture): Map<string, readonly number[]> {
  const { width, headCount, headWidth, mlpWidth, isGated, bucketCount } = architecture;
  const shapes = new Map<string, readonly number[]>();
  const inner = headCount * headWidth;
  shapes.set('shared.weight', [architecture.vocabularySize, width]);
  const stacks = {
    encoder: architecture.encoderLayerCount,
    decoder: architecture.decoderLayerCount,
  };
  for (const [side, count] of Object.entries(stacks)) {
    const attentions =
      side === 'encoder' ? ['SelfAttention'] : ['SelfAttention', 'EncDecAttention'];
    for (let block = 0; block < count; block += 1) {
      const prefix = `${side}.block.${block}.layer.`;
      for (const [at, name] of attentions.entries()) {
        for (const one of ['q', 'k', 'v']) {
          shapes.set(`${prefix}${at}.${name}.${one}.weight`, [inner, width]);
        }
        shapes.set(`${prefix}${at}.${name}.o.weight`, [width, inner]);
        shapes.set(`${prefix}${at}.layer_norm.weight`, [width]);
      }
      const mlp = `${prefix}${attentions.length}.`;
      for (const one of isGated ? ['wi_0', 'wi_1'] : ['wi']) {
        shapes.set(`${mlp}DenseReluDense.${one}.weight`, [mlpWidth, width]);
      }
      shapes.set(`${mlp}DenseReluDense.wo.weight`, [width, mlpWidth]);
      shapes.set(`${mlp}layer_norm.weight`, [width]);
    }
    const table = `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
    shapes.set(table, [bucketCount, headCount]);
    shapes.set(`${side}.final_layer_norm.weight`, [width]);
  }
  return shapes;
}

/**
 * Reads all weights; the caller disposes them.
 *
 * @throws {ModelError} that lists what is missing, of another shape, and not known.
 */
export async function readT5Weights(
  architecture: T5Architecture,
  checkpoint: Checkpoint,
): Promise<T5Weights> {
  const list: WeightList = {
    expected: expectedT5(architecture),
    ignored: /^((en|de)coder\.embed_tokens|.*EncDecAttention\.relative_attention_bias|lm_head)\./,
    optionalPrefix: null,
  };
  const names = matchWeights(list, checkpoint);
  const matrix = async (name: string): Promise<tf.Tensor2D> => {
    const shape = list.expected.get(name) as [number, number];
    return tf.tensor2d(await checkpoint.read(names.get(name)!), shape);
  };
  const linear = async (name: string) => ({ weight: await matrix(`${name}.weight`), bias: null });
  const norm = async (name: string) => ({
    gain: tf.tensor1d(await checkpoint.read(names.get(`${name}.weight`)!)),
    bias: null,
  });
  const attention = async (prefix: string, name: string): Promise<T5Attention> => ({
    norm: await norm(`${prefix}layer_norm`),
    query: await linear(`${prefix}${name}.q`),
    key: await linear(`${prefix}${name}.k`),
    value: await linear(`${prefix}${name}.v`),
    output: await linear(`${prefix}${name}.o`),
  });
  const block = async (prefix: string, isDecoder: boolean): Promise<T5Block> => {
    const mlp = `${prefix}${isDecoder ? 2 : 1}.`;
    const { isGated } = architecture;
    return {
      own: await attention(`${prefix}0.`, 'SelfAttention'),
      cross: isDecoder ? await attention(`${prefix}1.`, 'EncDecAttention') : null,
      mlpNorm: await norm(`${mlp}layer_norm`),
      gate: isGated ? await linear(`${mlp}DenseReluDense.wi_0`) : null,
      up: await linear(`${mlp}DenseReluDense.${isGated ? 'wi_1' : 'wi'}`),
      down: await linear(`${mlp}DenseReluDense.wo`),
    };
  };
  const stack = async (side: 'decoder' | 'encoder', count: number): Promise<T5Stack> => {
    const blocks: T5Block[] = [];
    for (let at = 0; at < count; at += 1) {
      blocks.push(await block(`${side}.block.${at}.layer.`, side === 'decoder'));
    }
    const table = `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
    return { blocks, distances: await matrix(table), norm: await norm(`${side}.final_layer_norm`) };
  };
  // Newer files of v1.1 say that the output is tied and hold it all the same.
  const { vocabularySize, width } = architecture;
  const output = checkpoint.weights.has(OUTPUT)
    ? tf.tensor2d(await checkpoint.read(OUTPUT), [vocabularySize, width])
    : null;
  return {
    embedding: await matrix('shared.weight'),
    encoder: await stack('encoder', architecture.encoderLayerCount),
    decoder: await stack('decoder', architecture.decoderLayerCount),
    output,
  };
}
