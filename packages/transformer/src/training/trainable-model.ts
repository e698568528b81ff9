/**
 * A model whose weights can be trained, whatever its kind.
 */
import { type LinearCrossEntropy, type Parameters, tf } from '@lab/tensor';
import type { Model } from '../model.js';
import type { T5Model } from '../t5/t5-model.js';
import type { MemoryWeight } from './memory-checkpoint.js';
import type { TrainingPass } from './training-pass.js';

/** Token ids of an example, and which of them are to be foretold. */
export interface TokenExample {
  /** Of a decoder: all tokens. Of a T5: those of its encoder. */
  readonly ids: Int32Array;
  /** Of a decoder: 1 for a token that is to be foretold. Of a T5 null. */
  readonly isTarget: Uint8Array | null;
  /** Of a T5: those of its decoder, without the start; all of them are targets. */
  readonly answer: Int32Array | null;
  /** Number of the line or of the example that it comes from, from 1. */
  readonly origin: number;
}

/** Weights under the names of a checkpoint. */
export type WeightArrays = ReadonlyMap<string, MemoryWeight>;

/** A model that {@link loadTrainable} gives. */
export interface TrainableModel {
  readonly kind: 'decoder' | 't5';
  /** What is trained, by own names. */
  readonly parameters: Parameters;
  /** Numbers in all weights, adapters apart. */
  readonly weightCount: number;
  readonly vocabularySize: number;
  /** Tokens of a text, at most; null where no end is known. */
  readonly contextTokens: number | null;
  /** Targets of an example. */
  targetCount(example: TokenExample): number;
  /** Tokens that an example puts through the blocks. */
  length(example: TokenExample): number;
  /**
   * What is ready before any weight that is trained: no gradient reaches it, and nothing of it is
   * kept. The caller disposes it after the backward pass.
   */
  prepare(examples: readonly TokenExample[], pass: TrainingPass): PreparedBatch;
  /** The loss of a prepared batch; synchronous, within a recording where gradients are wanted. */
  loss(batch: PreparedBatch, pass: TrainingPass): LinearCrossEntropy;
  /** A copy of all weights, adapters merged. */
  arrays(): Promise<WeightArrays>;
  /** A model of other weights, such as those of {@link TrainableModel.arrays}. */
  modelOf(arrays: WeightArrays): Promise<Model | T5Model>;
  dispose(): void;
}

/** A batch on its way. */
export interface PreparedBatch {
  readonly targetCount: number;
  /** What the kind of model made of it. */
  readonly content: unknown;
  dispose(): void;
}

/** Ids filled up on the right to one length. */
export function filledRows(rows: readonly Int32Array[], filling: number): Int32Array[] {
  const length = rows.reduce((most, row) => Math.max(most, row.length), 0);
  return rows.map((row) => {
    const filled = new Int32Array(length).fill(filling);
    filled.set(row);
    return filled;
  });
}

/** Tensors that stay until they are freed by hand. */
export class KeptTensors {
  private readonly all: tf.Tensor[] = [];

  /** Takes a tensor over. */
  add<T extends tf.Tensor>(tensor: T): T {
    this.all.push(tensor);
    return tf.keep(tensor);
  }

  dispose(): void {
    for (const tensor of this.all) tensor.dispose();
  }
}
