/**
 * A decoder on the present backend, and its forward pass.
 */
import { setImmediate } from 'node:timers/promises';
import { checkOptions, ConfigError, type OptionFields } from '@lab/core';
import { tf } from '@lab/tensor';
import { z } from 'zod';
import type { Architecture } from './architecture.js';
import { mixingOf } from './attention.js';
import { type BlockContext, runBlock } from './block.js';
import { type Captured, Captures, oneToken } from './captures.js';
import { ownName, ownNames, placedHook, placesInBlock } from './hook-names.js';
import { type Hook, type HookNames, HookRunner } from './hooks.js';
import { type Intervention, interventionHook } from './interventions.js';
import { embedTokens, outputLogits } from './pass-ends.js';
import { passFields, tokenFields } from './pass-fields.js';
import { assertFits } from './pass-fit.js';
import { PositionTables, type TokenBatch } from './positions.js';
import { lastTokens, passPlace, type PlacedTokenInput, tokenBatch } from './token-batch.js';
import type { StoredAround } from './load-model.js';
import type { StoredBlock } from './weights/block-weights.js';
import { assertHeld, disposeParts, type PlacedParts } from './weights/placed-parts.js';
import type { Residency } from './weights/residency.js';

/** What a forward pass reads and gives. */
export interface ForwardInput extends PlacedTokenInput {
  /** Called at their places, in this order, after interventions. */
  readonly hooks?: readonly Hook[] | undefined;
  readonly interventions?: readonly Intervention[] | undefined;
  /** Places whose values are copied. */
  readonly capture?: HookNames | undefined;
  /**
   * Whether copies are in the host's memory (`captured`, default), or stay on the backend
   * (`capturedTensors`).
   */
  readonly captureTo?: 'host' | 'tensor' | undefined;
  /** Whether all tokens are copied, or the last that counts of each text: T is 1. Default `all`. */
  readonly capturePositions?: 'all' | 'last' | undefined;
  /** First block; with one, `residual` is what comes in. Default 0. */
  readonly startBlock?: number | undefined;
  /** Block before which the pass ends: `logits` are null then. Default all. */
  readonly stopBlock?: number | undefined;
  /** What comes into `startBlock`, `[B, T, D]`. */
  readonly residual?: tf.Tensor3D | undefined;
  /**
   * What the heads of `startBlock` give, `[B, T, H, F]`, as `attn.hook_z` has it: the attention of
   * that block is not computed, so that heads changed one by one share it.
   */
  readonly headOutputs?: tf.Tensor4D | undefined;
  /**
   * Whether the last block is computed for all tokens (default), or, in less time and to the same
   * numbers, for the last that counts of each text: residual and logits are `[B, 1, ..]` then.
   */
  readonly residualPositions?: 'all' | 'last' | undefined;
  /** Ends the pass between two blocks. */
  readonly signal?: AbortSignal | undefined;
  /** Logits of all tokens, of the last that counts of each text, or none. Default `all`. */
  readonly logits?: 'all' | 'last' | 'none' | undefined;
}

const inputSchema = z.strictObject({
  ...tokenFields,
  positions: passFields.rows.optional(),
  hooks: passFields.hooks,
  interventions: passFields.interventions,
  capture: passFields.names.optional(),
  captureTo: z.enum(['host', 'tensor']).optional(),
  capturePositions: z.enum(['all', 'last']).optional(),
  startBlock: z.int().optional(),
  stopBlock: z.int().optional(),
  residual: passFields.tensor,
  headOutputs: passFields.tensor,
  residualPositions: z.enum(['all', 'last']).optional(),
  signal: passFields.signal,
  logits: z.enum(['all', 'last', 'none']).optional(),
} satisfies OptionFields<ForwardInput>);

/** What a forward pass gives; the caller disposes the tensors. */
export interface ForwardResult {
  /** `[B, T, V]`, or `[B, 1, V]` of the last tokens. */
  readonly logits: tf.Tensor3D | null;
  /**
   * Behind the last block that ran, before the final norm, `[B, T, D]`; `[B, 1, D]` of the last
   * tokens.
   */
  readonly residual: tf.Tensor3D;
  /** By the own names of the places; `get` and `has` take every other name, too. */
  readonly captured: ReadonlyMap<string, Captured>;
  /** As `captured`, with `captureTo: 'tensor'`: the caller's to dispose, too. */
  readonly capturedTensors: ReadonlyMap<string, tf.Tensor>;
  /** Frees logits, residual and captured tensors; those that are freed already are left out. */
  dispose(): void;
}

type Parts = PlacedParts<StoredBlock, StoredAround>;

/** A language model, ready to run. */
export class Model {
  /** Where its weights stay. */
  readonly residency: Residency;

  /** Use {@link loadModel}. */
  constructor(
    readonly architecture: Architecture,
    /** @internal Weights, for what takes a pass apart. */
    readonly parts: Parts,
  ) {
    this.residency = parts.residency;
  }

  /**
   * Logits and residual of a batch of texts.
   *
   * Exact in float32, whatever the type of the weights in the files. Padding on the left gets no
   * positions; its own rows have values without meaning.
   *
   * @throws {ConfigError} for an option that is not known or of another kind, and a name that no
   *   place has.
   * @throws {ShapeError} where rows of ids, mask, positions or residual do not fit.
   * @throws {DataError} for an id that the vocabulary does not have, a mask without tokens, and
   *   positions that the model does not have.
   * @throws {ModelError} once it has been disposed.
   */
  async forward(input: ForwardInput): Promise<ForwardResult> {
    checkOptions('transformer/forward', input, inputSchema);
    assertHeld(this.parts);
    const { layerCount, blocks, vocabularySize } = this.architecture;
    const { startBlock = 0, stopBlock = layerCount } = input;
    if (!(startBlock >= 0 && startBlock <= stopBlock && stopBlock <= layerCount)) {
      throw new ConfigError(
        `transformer/forward: blocks ${startBlock} to ${stopBlock} of ${layerCount} cannot run.`,
        { help: `Give 0 <= startBlock <= stopBlock <= ${layerCount}.` },
      );
    }
    const batch = tokenBatch(input, vocabularySize);
    assertFits(this.architecture, batch, input);
    const captures = this.capturesOf(input, batch);
    const all = [...this.hooksOf(input), ...captures.hooks];
    const hooks = new HookRunner(all, passPlace(batch));
    const positions = new PositionTables(this.architecture, batch);
    const mix = mixingOf(positions);
    let residual: tf.Tensor3D | null = null;
    let logits: tf.Tensor3D | null = null;
    try {
      residual = await this.embedded(batch, input, hooks);
      for (let block = startBlock; block < stopBlock; block += 1) {
        await turn(input.signal);
        const before: tf.Tensor3D = residual;
        const rules = blocks[block]!;
        const context = { architecture: this.architecture, block, rules, positions, hooks, mix };
        const own = this.blockInput(block, { input, batch, hooks });
        residual = await this.parts.blocks.use(block, (weights) =>
          runBlock(before, weights, Object.assign(own, context)),
        );
        before.dispose();
        await captures.fetch();
      }
      const end = this.endOf(residual, batch, input);
      residual = end;
      const isWhole = stopBlock === layerCount;
      logits = isWhole ? await this.output(end, batch, input, hooks) : null;
      await captures.fetch();
      const { found: captured, tensors: capturedTensors } = captures;
      const own = [end, ...(logits === null ? [] : [logits]), ...capturedTensors.values()];
      const dispose = () => tf.dispose(own);
      return { logits, residual: end, captured, capturedTensors, dispose };
    } catch (error) {
      residual?.dispose();
      logits?.dispose();
      captures.giveUp();
      throw error;
    } finally {
      positions.dispose();
      captures.dispose();
    }
  }

  private hooksOf({ hooks = [], interventions = [] }: ForwardInput): Hook[] {
    const { architecture } = this;
    const placed = hooks.map((one) => placedHook(one, architecture));
    return [...interventions.map((one) => interventionHook(one, architecture)), ...placed];
  }

  private capturesOf(input: ForwardInput, batch: TokenBatch): Captures {
    const { architecture } = this;
    const { capture, captureTo, capturePositions } = input;
    const names = capture && ownNames(capture, architecture, 'transformer/capture');
    return new Captures(names, {
      nameOf: (name) => ownName(name, architecture) ?? name,
      lastTokens: capturePositions === 'last' ? lastTokens(batch) : undefined,
      areTensors: captureTo === 'tensor',
    });
  }

  private async embedded(
    batch: TokenBatch,
    { residual }: ForwardInput,
    hooks: HookRunner,
  ): Promise<tf.Tensor3D> {
    return residual === undefined ? embedTokens(this, batch, hooks) : tf.clone(residual);
  }

  /** What a block is given, and which tokens it is computed for. */
  private blockInput(
    block: number,
    { input, batch, hooks }: { input: ForwardInput; batch: TokenBatch; hooks: HookRunner },
  ): Pick<BlockContext, 'headOutputs' | 'lastTokens'> {
    const { architecture } = this;
    const headOutputs = block === (input.startBlock ?? 0) ? input.headOutputs : undefined;
    const isLast = block === architecture.layerCount - 1 && input.residualPositions === 'last';
    // Hooks see all tokens.
    const isSeen = () => placesInBlock(block, architecture).some((name) => hooks.wants(name));
    const isShort = isLast && (hooks.isEmpty || !isSeen());
    return { headOutputs, lastTokens: isShort ? lastTokens(batch) : undefined };
  }

  /** The residual of the tokens that are wanted. */
  private endOf(residual: tf.Tensor3D, batch: TokenBatch, input: ForwardInput): tf.Tensor3D {
    const { stopBlock = this.architecture.layerCount, residualPositions } = input;
    const isWhole = stopBlock === this.architecture.layerCount;
    if (!isWhole || residualPositions !== 'last' || residual.shape[1] === 1) return residual;
    const end = tf.tidy(() => oneToken(residual, lastTokens(batch)) as tf.Tensor3D);
    residual.dispose();
    return end;
  }

  private async output(
    residual: tf.Tensor3D,
    batch: TokenBatch,
    { logits }: ForwardInput,
    hooks: HookRunner,
  ): Promise<tf.Tensor3D | null> {
    const isPicked = logits === 'last' && residual.shape[1] === batch.length;
    const wanted = { rows: isPicked ? lastTokens(batch) : null, areWanted: logits !== 'none' };
    const rows = await outputLogits(this, residual, wanted, hooks);
    if (rows === null) return null;
    const { vocabularySize } = this.architecture;
    const length = isPicked ? 1 : residual.shape[1];
    const shape: [number, number, number] = [batch.batchSize, length, vocabularySize];
    try {
      return tf.tidy(() => tf.clone(hooks.run('hook_logits', tf.reshape(rows, shape))));
    } finally {
      rows.dispose();
    }
  }

  /** Frees all weights and closes the files. */
  dispose(): void {
    disposeParts(this.parts);
  }
}

/** Lets other work of the process run: a pass would else hold its thread from end to end. */
async function turn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
