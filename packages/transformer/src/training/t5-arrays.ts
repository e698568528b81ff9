/**
 * The weights of a T5 that is trained, under the names of its checkpoint.
 */
import type { tf } from '@lab/tensor';
import type { Linear, Norm } from '../weights/block-weights.js';
import type { T5Block, T5Side } from '../t5/t5-weights.js';
import { mergedNumbers } from './decoder-arrays.js';
import type { MemoryWeight } from './memory-checkpoint.js';
import { numbersOf } from './weight-tree.js';

/** The weights of a side. */
export interface T5SideWeights {
  /** Biases of distances, `[buckets, H]`. */
  readonly distances: tf.Tensor2D;
  readonly blocks: readonly T5Block[];
  readonly norm: Norm;
}

/** All weights of a T5. */
export interface T5Weights {
  readonly embedding: tf.Tensor2D;
  /** Null where the embeddings are the output's weights, too. */
  readonly output: tf.Tensor2D | null;
  readonly encoder: T5SideWeights;
  readonly decoder: T5SideWeights;
}

/** All weights by their names in a checkpoint. */
export async function t5Arrays(weights: T5Weights): Promise<Map<string, MemoryWeight>> {
  const found = new Map<string, MemoryWeight>();
  const add = (name: string, { shape }: tf.Tensor, values: Float32Array) =>
    found.set(name, { shape: shape.slice(), numbers: () => values });
  const tensor = async (name: string, own: tf.Tensor) => add(name, own, await numbersOf(own));
  const linear = async (name: string, own: Linear) =>
    add(name, own.weight as tf.Tensor2D, await mergedNumbers(own));
  await tensor('shared.weight', weights.embedding);
  if (weights.output !== null) await tensor('lm_head.weight', weights.output);
  for (const side of ['encoder', 'decoder'] as const) {
    const { distances, blocks, norm } = weights[side];
    const table = `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
    await tensor(table, distances);
    await tensor(`${side}.final_layer_norm.weight`, norm.gain);
    for (const [index, block] of blocks.entries()) {
      const { norms, linears } = namesOf(side, index, block);
      for (const [name, own] of norms) await tensor(name, own.gain);
      for (const [name, own] of linears) await linear(name, own);
    }
  }
  return found;
}

/** Names of the weights of a block. */
function namesOf(side: T5Side, index: number, { own, cross, mlpNorm, gate, up, down }: T5Block) {
  const prefix = `${side}.block.${index}.layer.`;
  const norms: [string, Norm][] = [];
  const linears: [string, Linear][] = [];
  const attentions = [
    { name: 'SelfAttention', attention: own },
    { name: 'EncDecAttention', attention: cross },
  ];
  let layer = 0;
  for (const { name, attention } of attentions) {
    if (attention === null) continue;
    const { norm, query, key, value, output } = attention;
    norms.push([`${prefix}${layer}.layer_norm.weight`, norm]);
    for (const [short, matrix] of Object.entries({ q: query, k: key, v: value, o: output })) {
      linears.push([`${prefix}${layer}.${name}.${short}.weight`, matrix]);
    }
    layer += 1;
  }
  const dense = `${prefix}${layer}.DenseReluDense.`;
  norms.push([`${prefix}${layer}.layer_norm.weight`, mlpNorm]);
  if (gate !== null) linears.push([`${dense}wi_0.weight`, gate]);
  linears.push([`${dense}${gate === null ? 'wi' : 'wi_1'}.weight`, up]);
  linears.push([`${dense}wo.weight`, down]);
  return { norms, linears };
}
