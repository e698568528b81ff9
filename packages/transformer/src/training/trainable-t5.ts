/**
 * A T5 whose weights are trained.
 */
import { createParameters, gatherRows, linearCrossEntropy, type Parameters, tf } from '@lab/tensor';
import type { Random } from '@lab/core';
import { normalised } from '../normalised.js';
import type { TokenBatch } from '../positions.js';
import { readerOf } from '../t5/load-t5.js';
import { type T5BlockContext, runT5Block, t5Mixing } from '../t5/t5-block.js';
import type { T5Architecture } from '../t5/t5-config.js';
import { causalMask, paddingMask, T5Model } from '../t5/t5-model.js';
import { distanceBiases, type T5Parts } from '../t5/t5-stack.js';
import { matchT5, readT5Block, readT5Side, type T5Block, type T5Side } from '../t5/t5-weights.js';
import { tokenBatch } from '../token-batch.js';
import { outputName } from '../vocabulary.js';
import { WeightReader } from '../weights/block-weights.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { placedParts } from '../weights/placed-parts.js';
import { memoryCheckpoint } from './memory-checkpoint.js';
import { t5Arrays, type T5SideWeights, type T5Weights } from './t5-arrays.js';
import { throughBlock, type TrainingPass } from './training-pass.js';
import {
  filledRows,
  KeptTensors,
  type PreparedBatch,
  type TokenExample,
  type TrainableModel,
  type WeightArrays,
} from './trainable-model.js';
import { type AdapterRules, type Tuning, withAdapters } from './tuning.js';
import {
  floatMatrix,
  placedWeights,
  type PlaceWeight,
  tensorsIn,
  trainedIn,
} from './weight-tree.js';

/** What a T5 is made of before it is trained. */
export interface T5Source {
  readonly architecture: T5Architecture;
  readonly checkpoint: Checkpoint;
  readonly tuning: Tuning;
  /** Of the adapters. */
  readonly random: Random;
}

interface Stores {
  readonly parameters: Parameters;
  readonly frozen: KeptTensors;
}

/** Brings a T5 onto the backend to be trained, all of it in float32. */
export async function trainableT5(source: T5Source): Promise<TrainableModel> {
  const stores = { parameters: createParameters(), frozen: new KeptTensors() };
  try {
    const weights = await readWeights(source, stores);
    return new TrainableT5(source.architecture, weights, stores);
  } catch (error) {
    stores.parameters.dispose();
    stores.frozen.dispose();
    throw error;
  }
}

async function readWeights(
  { architecture, checkpoint, tuning, random }: T5Source,
  { parameters, frozen }: Stores,
): Promise<T5Weights> {
  const reader = new WeightReader(checkpoint, matchT5(architecture, checkpoint));
  const { encoderLayerCount, decoderLayerCount } = architecture;
  const first = tuning.kind === 'last-blocks' ? Math.max(decoderLayerCount - tuning.count, 0) : 0;
  const isTrained = (name: string) => {
    if (tuning.kind !== 'last-blocks') return tuning.kind === 'full';
    const block = /^decoder\.(\d+)\./.exec(name)?.[1];
    return block === undefined ? name.startsWith('decoder.norm.') : Number(block) >= first;
  };
  const add: PlaceWeight = (name, tensor) => parameters.add(name, tensor);
  const place: PlaceWeight = (name, tensor) =>
    isTrained(name) ? add(name, tensor) : frozen.add(tensor);
  const matrixOf = async (file: string, name: string) =>
    place(name, floatMatrix(await reader.matrix(`${file}.weight`))) as tf.Tensor2D;
  const names = { embedding: 'shared', output: 'lm_head', isTied: true };
  const output = await outputName({ ...architecture, ...names }, reader);
  const sideOf = async (side: T5Side, count: number): Promise<T5SideWeights> => {
    const around = placedWeights(await readT5Side(reader, side), side, place);
    const blocks: T5Block[] = [];
    for (let block = 0; block < count; block += 1) {
      const name = `${side}.${block}`;
      const stored = await readT5Block(architecture, reader, { side, block });
      const own = placedWeights(stored, name, place) as T5Block;
      blocks.push(adapted(own, name, { tuning, random, place: add }));
    }
    return { distances: around.distances as tf.Tensor2D, norm: around.norm, blocks };
  };
  return {
    embedding: await matrixOf('shared', 'embedding.weight'),
    output: output === 'shared' ? null : await matrixOf(output, 'output.weight'),
    encoder: await sideOf('encoder', encoderLayerCount),
    decoder: await sideOf('decoder', decoderLayerCount),
  };
}

function adapted(block: T5Block, name: string, rules: AdapterRules): T5Block {
  const own = withAdapters(block.own, `${name}.own`, rules);
  const cross = block.cross && withAdapters(block.cross, `${name}.cross`, rules);
  return Object.assign({}, withAdapters(block, name, rules), { own, cross });
}

interface T5Content {
  readonly encoder: TokenBatch;
  readonly decoder: TokenBatch;
  readonly masks: Readonly<Record<'causal' | 'padding', tf.Tensor>>;
  /** Rows of the encoder where none of its weights is trained. */
  readonly encoded: tf.Tensor3D | null;
  /** Rows in `[B T]` that have a target. */
  readonly rows: Int32Array;
  readonly targets: Int32Array;
}

class TrainableT5 implements TrainableModel {
  readonly kind = 't5';
  readonly parameters: Parameters;
  readonly weightCount: number;
  readonly vocabularySize: number;
  readonly contextTokens = null;

  constructor(
    private readonly architecture: T5Architecture,
    private readonly weights: T5Weights,
    private readonly stores: Stores,
  ) {
    this.parameters = stores.parameters;
    this.vocabularySize = architecture.vocabularySize;
    const adapters = this.parameters.names().filter((name) => /\.lora[AB]$/.test(name));
    const all = tensorsIn(weights).reduce((sum, { size }) => sum + size, 0);
    const added = adapters.reduce((sum, name) => sum + this.parameters.get(name).size, 0);
    this.weightCount = all - added;
  }

  targetCount({ answer }: TokenExample): number {
    return answer!.length;
  }

  length({ ids, answer }: TokenExample): number {
    return ids.length + answer!.length;
  }

  prepare(examples: readonly TokenExample[], pass: TrainingPass): PreparedBatch {
    const { startId } = this.architecture;
    const asked = filledRows(
      examples.map(({ ids }) => ids),
      0,
    );
    const mask = examples.map(({ ids }, text) =>
      asked[text]!.map((_, at) => (at < ids.length ? 1 : 0)),
    );
    const begun = examples.map(({ answer }) => Int32Array.of(startId, ...answer!.subarray(0, -1)));
    const encoder = tokenBatch({ ids: asked, mask }, this.vocabularySize);
    // Padding stands behind all that counts, where no token sees it: it needs no mask.
    const decoder = tokenBatch({ ids: filledRows(begun, 0) }, this.vocabularySize);
    const rows = examples.flatMap(({ answer }, text) =>
      Array.from(answer!, (_, at) => text * decoder.length + at),
    );
    const targets = examples.flatMap(({ answer }) => Array.from(answer!));
    const masks = { causal: causalMask(decoder), padding: paddingMask(encoder) };
    const { embedding, encoder: side } = this.weights;
    const isFrozen = trainedIn([embedding, side]).length === 0;
    const encoded = isFrozen ? tf.tidy(() => this.encoded(encoder, masks.padding, pass)) : null;
    const content: T5Content = {
      ...{ encoder, decoder, masks, encoded },
      rows: Int32Array.from(rows),
      targets: Int32Array.from(targets),
    };
    return {
      ...{ targetCount: targets.length, content },
      dispose: () => {
        tf.dispose([masks.causal, masks.padding]);
        encoded?.dispose();
      },
    };
  }

  loss({ content }: PreparedBatch, pass: TrainingPass) {
    const { encoder, decoder, masks, encoded, rows, targets } = content as T5Content;
    const { outputScale, width } = this.architecture;
    const read = encoded ?? this.encoded(encoder, masks.padding, pass);
    const last = this.stack('decoder', decoder, pass, {
      mask: masks.causal,
      across: { rows: read, mask: masks.padding },
    });
    const flat = tf.reshape(last, [-1, width]) as tf.Tensor2D;
    const wanted = gatherRows(flat, tf.tensor1d(rows, 'int32'));
    const scaled = outputScale === 1 ? wanted : tf.mul<tf.Tensor2D>(wanted, outputScale);
    const output = this.weights.output ?? this.weights.embedding;
    return linearCrossEntropy(scaled, output, targets, {
      scale: pass.scale,
      isWeightConstant: trainedIn(output).length === 0,
    });
  }

  private encoded(batch: TokenBatch, mask: tf.Tensor, pass: TrainingPass): tf.Tensor3D {
    return this.stack('encoder', batch, pass, { mask, across: null });
  }

  /** Rows of a side behind its norm, `[B, T, D]`. */
  private stack(
    side: T5Side,
    batch: TokenBatch,
    pass: TrainingPass,
    {
      mask,
      across,
    }: {
      readonly mask: tf.Tensor;
      readonly across: { readonly rows: tf.Tensor3D; readonly mask: tf.Tensor } | null;
    },
  ): tf.Tensor3D {
    const { architecture, weights } = this;
    const { blocks, norm, distances } = weights[side];
    const { batchSize, length } = batch;
    const around = { [side]: { distances } };
    const parts = { around } as unknown as T5Parts['parts'];
    const table = distanceBiases({ architecture, parts }, side, [length, length]);
    const sum = tf.add(table, mask);
    const rows = gatherRows(weights.embedding, tf.tensor1d(batch.ids, 'int32'));
    const shape: [number, number, number] = [batchSize, length, architecture.width];
    let x = pass.embedded(tf.reshape(rows, shape) as tf.Tensor3D, `${side}.embedding`);
    for (const [block, own] of blocks.entries()) {
      const inputs = [x, sum, ...(across === null ? [] : [across.rows])];
      const given = { weights: own, isRecomputed: pass.recompute };
      x = throughBlock(inputs, given, ([before, biases, keys], used) => {
        const context: T5BlockContext = {
          ...{ architecture, hooks: pass.hooks, side, block },
          own: t5Mixing({ distances: null, mask: biases!, sum: biases! }),
          cross:
            across === null
              ? null
              : t5Mixing(
                  { distances: null, mask: across.mask, sum: across.mask },
                  keys as tf.Tensor3D,
                ),
        };
        return runT5Block(before as tf.Tensor3D, used, context);
      });
    }
    return normalised(x, norm, architecture.norm);
  }

  arrays(): Promise<WeightArrays> {
    return t5Arrays(this.weights);
  }

  async modelOf(arrays: WeightArrays): Promise<T5Model> {
    const { architecture } = this;
    const files = memoryCheckpoint('the trained model', arrays);
    const names = matchT5(architecture, files);
    const given = { files, names, residency: 'resident' } as const;
    return new T5Model(architecture, await placedParts(given, readerOf(architecture)));
  }

  dispose(): void {
    this.stores.parameters.dispose();
    this.stores.frozen.dispose();
  }
}
