/**
 * The weights of a T5, by their names.
 */
import { ModelError } from '@lab/core';
import type { tf } from '@lab/tensor';
import type { LinearParts, NormParts, WeightReader } from '../weights/block-weights.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { matchWeights, type WeightList } from '../weights/expected-weights.js';
import { floatsOf, type StoredMatrix } from '../weights/stored-numbers.js';
import type { ReadMatrix, WeightMatrix } from '../weights/weight-matrix.js';
import type { T5Architecture } from './t5-config.js';

/** One attention. */
interface AttentionParts<Matrix, Row> {
  readonly norm: NormParts<Row>;
  readonly query: LinearParts<Matrix, Row>;
  readonly key: LinearParts<Matrix, Row>;
  readonly value: LinearParts<Matrix, Row>;
  readonly output: LinearParts<Matrix, Row>;
}

/** A block of either side. */
interface BlockParts<Matrix, Row> {
  readonly own: AttentionParts<Matrix, Row>;
  /** Attention over the encoder's rows; of the decoder alone. */
  readonly cross: AttentionParts<Matrix, Row> | null;
  readonly mlpNorm: NormParts<Row>;
  readonly gate: LinearParts<Matrix, Row> | null;
  readonly up: LinearParts<Matrix, Row>;
  readonly down: LinearParts<Matrix, Row>;
}

/** On the backend. */
export type T5Attention = AttentionParts<WeightMatrix, tf.Tensor1D>;
/** On the backend. */
export type T5Block = BlockParts<WeightMatrix, tf.Tensor1D>;
/** In the host's memory. */
export type StoredT5Block = BlockParts<ReadMatrix, Float32Array>;

/** A side. */
export type T5Side = 'decoder' | 'encoder';

/** Small weights of a side outside of its blocks. */
export interface StoredT5Side {
  /** Biases of distances, `[buckets, H]`. */
  readonly distances: StoredMatrix;
  readonly norm: NormParts<Float32Array>;
}

/** Shape of every weight, by its name. */
export function expectedT5(architecture: T5Architecture): Map<string, readonly number[]> {
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
 * Names in a checkpoint of the weights of a T5.
 *
 * @throws {ModelError} that lists what is missing, of another shape, and not known.
 */
export function matchT5(
  architecture: T5Architecture,
  checkpoint: Checkpoint,
): ReadonlyMap<string, string> {
  const list: WeightList = {
    expected: expectedT5(architecture),
    optional: new Map([['lm_head.weight', [architecture.vocabularySize, architecture.width]]]),
    ignored: /^((en|de)coder\.embed_tokens|.*EncDecAttention\.relative_attention_bias)\./,
    optionalPrefix: null,
  };
  return matchWeights(list, checkpoint);
}

/** Numbers that are compared at a time. */
const COMPARED = 1 << 20;

/**
 * Checks that a side's own embeddings, which some files have, are those of both sides.
 *
 * @throws {ModelError} that names those which are others.
 */
export async function assertOneEmbedding(checkpoint: Checkpoint): Promise<void> {
  const { folder, weights } = checkpoint;
  for (const name of ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight']) {
    if (!weights.has(name) || (await isCopy(checkpoint, name, 'shared.weight'))) continue;
    throw new ModelError(`${folder}: ${name} is not shared.weight, which is not supported.`, {
      help: 'Only models with the same embeddings on both sides are.',
    });
  }
}

async function isCopy(checkpoint: Checkpoint, name: string, other: string): Promise<boolean> {
  const [own, its] = [checkpoint.weights.get(name)!, checkpoint.weights.get(other)!];
  if (own.shape.join() !== its.shape.join()) return false;
  const [rows, columns] = own.shape as [number, number];
  const step = Math.max(1, Math.floor(COMPARED / columns));
  for (let start = 0; start < rows; start += step) {
    const run = { start, count: Math.min(step, rows - start) };
    const [a, b] = await Promise.all(
      [name, other].map(async (one) => floatsOf(await checkpoint.readStored(one, run))),
    );
    if (Buffer.compare(bytesOf(a!), bytesOf(b!)) !== 0) return false;
  }
  return true;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Reads the small weights of a side. */
export async function readT5Side(reader: WeightReader, side: T5Side): Promise<StoredT5Side> {
  const table = `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
  return {
    distances: await reader.matrix(table),
    norm: await reader.norm(`${side}.final_layer_norm`),
  };
}

/** All weights of a block of a side; its reads are under way together. */
export async function readT5Block(
  { isGated }: T5Architecture,
  reader: WeightReader,
  { side, block }: { readonly side: T5Side; readonly block: number },
): Promise<StoredT5Block> {
  const prefix = `${side}.block.${block}.layer.`;
  const isDecoder = side === 'decoder';
  const mlp = `${prefix}${isDecoder ? 2 : 1}.`;
  const dense = (name: string) => reader.linear(`${mlp}DenseReluDense.${name}`);
  const attention = async (own: string, name: string) => {
    const one = (what: string) => reader.linear(`${own}${name}.${what}`);
    const norm = reader.norm(`${own}layer_norm`);
    const all = await Promise.all([norm, one('q'), one('k'), one('v'), one('o')]);
    return { norm: all[0], query: all[1], key: all[2], value: all[3], output: all[4] };
  };
  const [own, cross, mlpNorm, gate, up, down] = await Promise.all([
    attention(`${prefix}0.`, 'SelfAttention'),
    isDecoder ? attention(`${prefix}1.`, 'EncDecAttention') : null,
    reader.norm(`${mlp}layer_norm`),
    isGated ? dense('wi_0') : null,
    dense(isGated ? 'wi_1' : 'wi'),
    dense('wo'),
  ]);
  return { own, cross, mlpNorm, gate, up, down };
}
