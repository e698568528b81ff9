/**
 * A decoder on the present backend, and its forward pass.
 */
import { ConfigError, DataError, ShapeError } from '@lab/core';
import { gatherRows, tf } from '@lab/tensor';
import type { Architecture } from './architecture.js';
import { runBlock } from './block.js';
import type { FamilyModel } from './families/family.js';
import { type Captured, Captures } from './captures.js';
import { type Hook, type HookNames, HookRunner } from './hooks.js';
import { type Intervention, interventionHook } from './interventions.js';
import { hookedNorm } from './normalised.js';
import { PositionTables, type TokenBatch } from './positions.js';
import { lastTokens, tokenBatch, type TokenInput } from './token-batch.js';
import {
  type BlockWeights,
  disposeBlock,
  type Norm,
  type WeightReader,
} from './weights/block-weights.js';
import type { Checkpoint } from './weights/checkpoint.js';

/** What a forward pass reads and gives. */
export interface ForwardInput extends TokenInput {
  /** Called at their places, in this order, after interventions. */
  readonly hooks?: readonly Hook[] | undefined;
  readonly interventions?: readonly Intervention[] | undefined;
  /** Places whose values are copied into the host's memory. */
  readonly capture?: HookNames | undefined;
  /** First block; with one, `residual` is what comes in. Default 0. */
  readonly startBlock?: number | undefined;
  /** Block before which the pass ends: `logits` are null then. Default all. */
  readonly stopBlock?: number | undefined;
  /** What comes into `startBlock`, `[B, T, D]`. */
  readonly residual?: tf.Tensor3D | undefined;
  /** Logits of all tokens, of the last that counts of each text, or none. Default `all`. */
  readonly logits?: 'all' | 'last' | 'none' | undefined;
}

/** What a forward pass gives; the caller disposes the tensors. */
export interface ForwardResult {
  /** `[B, T, V]`, or `[B, 1, V]` of the last tokens. */
  readonly logits: tf.Tensor3D | null;
  /** Behind the last block that ran, before the final norm, `[B, T, D]`. */
  readonly residual: tf.Tensor3D;
  readonly captured: ReadonlyMap<string, Captured>;
  dispose(): void;
}

/** What a model is made of. */
interface ModelParts {
  readonly family: FamilyModel;
  readonly checkpoint: Checkpoint;
  readonly reader: WeightReader;
  readonly around: AroundBlocks;
  readonly residency: 'resident' | 'streamed';
}

/** A language model, ready to run. */
export class Model {
  readonly architecture: Architecture;
  private readonly kept = new Map<number, BlockWeights>();

  /** Use {@link loadModel}. */
  constructor(private readonly parts: ModelParts) {
    this.architecture = parts.family.architecture;
  }

  /**
   * Logits and residual of a batch of texts.
   *
   * Exact in float32, whatever the type of the weights in the files. Padding on the left gets no
   * positions; its own rows have values without meaning.
   *
   * @throws {ShapeError} where rows of ids, mask or residual do not fit.
   * @throws {DataError} for an id that the vocabulary does not have.
   */
  async forward(input: ForwardInput): Promise<ForwardResult> {
    const { layerCount, blocks, vocabularySize } = this.architecture;
    const { startBlock = 0, stopBlock = layerCount } = input;
    if (!(startBlock >= 0 && startBlock <= stopBlock && stopBlock <= layerCount)) {
      throw new ConfigError(
        `transformer/forward: blocks ${startBlock} to ${stopBlock} of ${layerCount} cannot run.`,
        { help: `Give 0 <= startBlock <= stopBlock <= ${layerCount}.` },
      );
    }
    const batch = tokenBatch(input, vocabularySize);
    this.assertFits(batch, input);
    const captures = new Captures(input.capture);
    const hooks = new HookRunner([...this.hooksOf(input), ...captures.hooks]);
    const positions = new PositionTables(this.architecture, batch);
    let residual: tf.Tensor3D | null = null;
    try {
      residual = tf.tidy(() => this.embedded(batch, input, hooks));
      for (let block = startBlock; block < stopBlock; block += 1) {
        const weights = await this.block(block);
        const rules = blocks[block]!;
        const context = { architecture: this.architecture, block, rules, positions, hooks };
        const next = runBlock(residual, weights, { ...context, length: batch.length });
        residual.dispose();
        residual = next;
        await captures.fetch();
      }
      const end = residual;
      const isWhole = stopBlock === layerCount;
      const made = isWhole ? tf.tidy(() => this.output(end, batch, input, hooks)) : undefined;
      const logits = made ?? null;
      await captures.fetch();
      return {
        ...{ logits, residual: end, captured: captures.found },
        dispose: () => tf.dispose(logits === null ? [end] : [logits, end]),
      };
    } catch (error) {
      residual?.dispose();
      throw error;
    } finally {
      positions.dispose();
      captures.dispose();
    }
  }

  private assertFits({ batchSize, length, longest }: TokenBatch, input: ForwardInput): void {
    const { width, positions: rules } = this.architecture;
    if (rules.kind === 'learned' && longest > rules.count) {
      throw new DataError(
        `transformer/forward: a text has ${longest} tokens, this model has ${rules.count} places.`,
        { help: 'Cut the text, or split it.' },
      );
    }
    if (input.residual === undefined) {
      if ((input.startBlock ?? 0) === 0) return;
      throw new ConfigError(
        `transformer/forward: startBlock ${input.startBlock} needs a residual.`,
        {
          help: 'Give what a pass with stopBlock gave.',
        },
      );
    }
    const shape = input.residual.shape.join(', ');
    const expected = [batchSize, length, width].join(', ');
    if (shape === expected) return;
    throw new ShapeError(`transformer/forward: residual must be [${expected}], got [${shape}].`, {
      expected: `[${expected}]`,
      got: `[${shape}]`,
    });
  }

  private hooksOf({ hooks = [], interventions = [] }: ForwardInput): Hook[] {
    return [...interventions.map((one) => interventionHook(one, this.architecture)), ...hooks];
  }

  private embedded(batch: TokenBatch, input: ForwardInput, hooks: HookRunner): tf.Tensor3D {
    const { width, embeddingScale } = this.architecture;
    const shape: [number, number, number] = [batch.batchSize, batch.length, width];
    if (input.residual !== undefined) return tf.clone(input.residual);
    const rowsOf = (table: tf.Tensor2D, ids: Int32Array) =>
      tf.reshape(gatherRows(table, tf.tensor1d(ids, 'int32')), shape);
    const rows = rowsOf(this.parts.around.embedding, batch.ids);
    const scaled = embeddingScale === 1 ? rows : tf.mul(rows, embeddingScale);
    const embedded = hooks.run('hook_embed', scaled as tf.Tensor3D);
    const { positions } = this.parts.around;
    if (positions === null) return embedded;
    const placed = hooks.run('hook_pos_embed', rowsOf(positions, batch.positions));
    return tf.add(embedded, placed);
  }

  private output(
    residual: tf.Tensor3D,
    batch: TokenBatch,
    input: ForwardInput,
    hooks: HookRunner,
  ): tf.Tensor3D | undefined {
    const { norm: rules, logitCap, vocabularySize, width } = this.architecture;
    const { norm, embedding, output } = this.parts.around;
    const normed = hookedNorm(residual, norm, { rules, hooks, name: 'ln_final', block: null });
    if (input.logits === 'none') return undefined;
    const rows = tf.reshape(normed, [-1, width]) as tf.Tensor2D;
    const isLast = input.logits === 'last';
    const wanted = isLast ? gatherRows(rows, tf.tensor1d(lastTokens(batch), 'int32')) : rows;
    const products = tf.matMul(wanted, output ?? embedding, false, true);
    const capped =
      logitCap === null ? products : tf.mul(tf.tanh(tf.div(products, logitCap)), logitCap);
    const length = isLast ? 1 : batch.length;
    const shape: [number, number, number] = [batch.batchSize, length, vocabularySize];
    return hooks.run('hook_logits', tf.reshape(capped, shape));
  }

  /** Weights of a block: all are kept, or the last that was asked for. */
  private async block(index: number): Promise<BlockWeights> {
    const known = this.kept.get(index);
    if (known !== undefined) return known;
    if (this.parts.residency === 'streamed') this.freeBlocks();
    const weights = await this.parts.reader.block(index);
    this.kept.set(index, weights);
    return weights;
  }

  private freeBlocks(): void {
    for (const weights of this.kept.values()) disposeBlock(weights);
    this.kept.clear();
  }

  /** Reads all blocks that stay. */
  async readAll(): Promise<void> {
    if (this.parts.residency === 'streamed') return;
    for (let block = 0; block < this.architecture.layerCount; block += 1) await this.block(block);
  }

  /** Frees all weights and closes the files. */
  dispose(): void {
    this.freeBlocks();
    tf.dispose(this.parts.around as unknown as tf.TensorContainer);
    this.parts.checkpoint.close();
  }
}

/** Weights before and behind the blocks. */
export interface AroundBlocks {
  readonly embedding: tf.Tensor2D;
  readonly positions: tf.Tensor2D | null;
  readonly norm: Norm;
  /** Null where the embedding is the output's, too. */
  readonly output: tf.Tensor2D | null;
}
