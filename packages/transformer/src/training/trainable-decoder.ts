/**
 * A decoder whose weights are trained.
 */
import { createParameters, gatherRows, linearCrossEntropy, type Parameters, tf } from '@lab/tensor';
import type { Random } from '@lab/core';
import { mixingOf } from '../attention.js';
import { runBlock } from '../block.js';
import type { FamilyModel } from '../families/family.js';
import { decoderReader } from '../load-model.js';
import { Model } from '../model.js';
import { normalised } from '../normalised.js';
import { PositionTables, type TokenBatch } from '../positions.js';
import { tokenBatch } from '../token-batch.js';
import { outputName } from '../vocabulary.js';
import { type BlockWeights, type Norm, readBlock, WeightReader } from '../weights/block-weights.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { matchWeights, weightList } from '../weights/expected-weights.js';
import { placedParts } from '../weights/placed-parts.js';
import { decoderArrays, type DecoderWeights } from './decoder-arrays.js';
import { memoryCheckpoint } from './memory-checkpoint.js';
import { throughBlock, type TrainingPass } from './training-pass.js';
import {
  filledRows,
  KeptTensors,
  type PreparedBatch,
  type TokenExample,
  type TrainableModel,
  type WeightArrays,
} from './trainable-model.js';
import { type Tuning, withAdapters } from './tuning.js';
import { floatMatrix, placedWeights, type PlaceWeight, trainedIn } from './weight-tree.js';

/** What a decoder is made of before it is trained. */
export interface DecoderSource {
  readonly family: FamilyModel;
  readonly checkpoint: Checkpoint;
  readonly tuning: Tuning;
  /** Of the adapters. */
  readonly random: Random;
}

/** Brings a decoder onto the backend to be trained, all of it in float32. */
export async function trainableDecoder(source: DecoderSource): Promise<TrainableModel> {
  const parameters = createParameters();
  const frozen = new KeptTensors();
  try {
    const weights = await readWeights(source, { parameters, frozen });
    return new TrainableDecoder(source.family, weights, { parameters, frozen });
  } catch (error) {
    parameters.dispose();
    frozen.dispose();
    throw error;
  }
}

interface Stores {
  readonly parameters: Parameters;
  readonly frozen: KeptTensors;
}

async function readWeights(
  { family, checkpoint, tuning, random }: DecoderSource,
  { parameters, frozen }: Stores,
): Promise<DecoderWeights> {
  const names = matchWeights(weightList(family), checkpoint);
  const reader = new WeightReader(checkpoint, names);
  const { architecture, weights: called } = family;
  const { layerCount } = architecture;
  const first = tuning.kind === 'last-blocks' ? Math.max(layerCount - tuning.count, 0) : 0;
  const isTrained = (name: string) => {
    if (tuning.kind !== 'last-blocks') return tuning.kind === 'full';
    const block = /^blocks\.(\d+)\./.exec(name)?.[1];
    return block === undefined ? name.startsWith('norm.') : Number(block) >= first;
  };
  const add: PlaceWeight = (name, tensor) => parameters.add(name, tensor);
  const place: PlaceWeight = (name, tensor) =>
    isTrained(name) ? add(name, tensor) : frozen.add(tensor);
  const matrixOf = async (file: string, name: string) =>
    place(name, floatMatrix(await reader.matrix(`${file}.weight`))) as tf.Tensor2D;
  const output = await outputName({ ...architecture, ...called }, reader);
  const isLearned = called.positions !== null && architecture.positions.kind === 'learned';
  const plain = withoutOffset(family);
  const embedding = await matrixOf(called.embedding, 'embedding.weight');
  const positions = isLearned ? await matrixOf(called.positions!, 'positions.weight') : null;
  const blocks: BlockWeights[] = [];
  for (let index = 0; index < layerCount; index += 1) {
    const stored = await readBlock(plain, reader, index);
    const own = placedWeights(stored, `blocks.${index}`, place) as BlockWeights;
    blocks.push(withAdapters(own, `blocks.${index}`, { tuning, random, place: add }));
  }
  return {
    ...{ embedding, positions, blocks },
    norm: placedWeights(await reader.norm(called.finalNorm), 'norm', place),
    output: output === called.embedding ? null : await matrixOf(output, 'output.weight'),
  };
}

/** The same family with gains as they are stored: what is added to them is no weight. */
const withoutOffset = (family: FamilyModel): FamilyModel => ({
  ...family,
  architecture: {
    ...family.architecture,
    norm: { ...family.architecture.norm, gainOffset: 0 },
  },
});

const NORMS = ['norm1', 'norm2', 'postNorm1', 'postNorm2', 'queryNorm', 'keyNorm'] as const;

interface DecoderContent {
  readonly batch: TokenBatch;
  readonly positions: PositionTables;
  /** The residual before the first block with weights that are trained; null: all is trained. */
  readonly residual: tf.Tensor3D | null;
  /** Rows in `[B T]` that have a target; null: all. */
  readonly rows: Int32Array | null;
  readonly targets: Int32Array;
}

class TrainableDecoder implements TrainableModel {
  readonly kind = 'decoder';
  readonly parameters: Parameters;
  readonly weightCount: number;
  readonly vocabularySize: number;
  readonly contextTokens: number | null;
  /** First block with weights that are trained; -1 where the embeddings are. */
  private readonly firstTrained: number;

  constructor(
    private readonly family: FamilyModel,
    private readonly weights: DecoderWeights,
    private readonly stores: Stores,
  ) {
    const { architecture } = family;
    this.parameters = stores.parameters;
    this.vocabularySize = architecture.vocabularySize;
    this.contextTokens = architecture.contextTokens;
    const shapes = weightList(family).expected.values();
    this.weightCount = [...shapes].reduce(
      (sum, shape) => sum + tf.util.sizeFromShape([...shape]),
      0,
    );
    const { embedding, positions, blocks } = weights;
    const isFromStart = trainedIn([embedding, positions]).length > 0;
    const first = blocks.findIndex((block) => trainedIn(block).length > 0);
    this.firstTrained = isFromStart ? -1 : first < 0 ? blocks.length : first;
  }

  targetCount({ isTarget }: TokenExample): number {
    return isTarget!.subarray(1).reduce((sum, one) => sum + one, 0);
  }

  length({ ids }: TokenExample): number {
    return ids.length - 1;
  }

  prepare(examples: readonly TokenExample[], pass: TrainingPass): PreparedBatch {
    // Padding stands behind all that counts, where no token sees it: it needs no mask.
    const ids = filledRows(
      examples.map((example) => example.ids.subarray(0, -1)),
      0,
    );
    const filled = tokenBatch({ ids }, this.vocabularySize);
    // Some positions depend on the longest text, whose last token is a target alone.
    const batch: TokenBatch = { ...filled, longest: filled.longest + 1 };
    const rows: number[] = [];
    const targets: number[] = [];
    for (const [text, example] of examples.entries()) {
      for (let at = 1; at < example.ids.length; at += 1) {
        if (example.isTarget![at] === 0) continue;
        rows.push(text * batch.length + at - 1);
        targets.push(example.ids[at]!);
      }
    }
    const isWhole = rows.length === batch.ids.length;
    const positions = new PositionTables(this.family.architecture, batch);
    const residual =
      this.firstTrained < 0
        ? null
        : tf.keep(
            tf.tidy(() =>
              this.through(this.embedded(batch, pass), positions, pass, [0, this.firstTrained]),
            ),
          );
    const content: DecoderContent = {
      ...{ batch, positions, residual },
      rows: isWhole ? null : Int32Array.from(rows),
      targets: Int32Array.from(targets),
    };
    return {
      targetCount: targets.length,
      content,
      dispose: () => {
        positions.dispose();
        residual?.dispose();
      },
    };
  }

  loss({ content }: PreparedBatch, pass: TrainingPass) {
    const { batch, positions, residual, rows, targets } = content as DecoderContent;
    const { architecture } = this.family;
    const from = Math.max(this.firstTrained, 0);
    const before = residual ?? this.embedded(batch, pass);
    const last = this.through(before, positions, pass, [from, architecture.layerCount]);
    const normed = normalised(last, this.withOffset(this.weights.norm), architecture.norm);
    const all = tf.reshape(normed, [-1, architecture.width]) as tf.Tensor2D;
    const wanted = rows === null ? all : gatherRows(all, tf.tensor1d(rows, 'int32'));
    const output = this.weights.output ?? this.weights.embedding;
    return linearCrossEntropy(wanted, output, targets, {
      scale: pass.scale,
      cap: architecture.logitCap,
      isWeightConstant: trainedIn(output).length === 0,
    });
  }

  private embedded(batch: TokenBatch, pass: TrainingPass): tf.Tensor3D {
    const { embedding, positions } = this.weights;
    const { embeddingScale, width } = this.family.architecture;
    const rowsOf = (table: tf.Tensor2D, ids: Int32Array) => {
      const rows = gatherRows(table, tf.tensor1d(ids, 'int32'));
      return tf.reshape(rows, [batch.batchSize, batch.length, width]) as tf.Tensor3D;
    };
    const own = rowsOf(embedding, batch.ids);
    const scaled = embeddingScale === 1 ? own : tf.mul<tf.Tensor3D>(own, embeddingScale);
    const placed =
      positions === null ? scaled : tf.add<tf.Tensor3D>(scaled, rowsOf(positions, batch.positions));
    return pass.embedded(placed, 'embedding');
  }

  private through(
    x: tf.Tensor3D,
    positions: PositionTables,
    pass: TrainingPass,
    [from, to]: readonly [number, number],
  ): tf.Tensor3D {
    const { architecture } = this.family;
    const mix = mixingOf(positions);
    let residual = x;
    for (let block = from; block < to; block += 1) {
      const rules = architecture.blocks[block]!;
      const context = { architecture, block, rules, positions, hooks: pass.hooks, mix };
      const weights = this.weights.blocks[block]!;
      residual = throughBlock(
        [residual],
        { weights, isRecomputed: pass.recompute },
        (inputs, own) =>
          tf.tidy(() => runBlock(inputs[0] as tf.Tensor3D, this.offsetBlock(own), context)),
      );
    }
    return residual;
  }

  /** A norm as the pass takes it. */
  private withOffset(norm: Norm): Norm {
    const { gainOffset } = this.family.architecture.norm;
    if (gainOffset === 0) return norm;
    return { gain: tf.add<tf.Tensor1D>(norm.gain, gainOffset), bias: norm.bias };
  }

  private offsetBlock(weights: BlockWeights): BlockWeights {
    if (this.family.architecture.norm.gainOffset === 0) return weights;
    const changed = NORMS.flatMap((name) => {
      const norm = weights[name];
      return norm === null ? [] : [[name, this.withOffset(norm)] as const];
    });
    return Object.assign({}, weights, Object.fromEntries(changed));
  }

  arrays(): Promise<WeightArrays> {
    return decoderArrays(this.family, this.weights);
  }

  async modelOf(arrays: WeightArrays): Promise<Model> {
    const { family } = this;
    const files = memoryCheckpoint('the trained model', arrays);
    const names = matchWeights(weightList(family), files);
    const parts = await placedParts({ files, names, residency: 'resident' }, decoderReader(family));
    return new Model(family.architecture, parts);
  }

  dispose(): void {
    this.stores.parameters.dispose();
    this.stores.frozen.dispose();
  }
}
