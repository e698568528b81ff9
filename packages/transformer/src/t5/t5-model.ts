/**
 * T5: an encoder and a decoder, and their forward pass.
 */
import { checkOptions, type OptionFields } from '@lab/core';
import { tf } from '@lab/tensor';
import { z } from 'zod';
import { type Captured, Captures } from '../captures.js';
import { type Hook, type HookNames, HookRunner } from '../hooks.js';
import type { Intervention } from '../interventions.js';
import { passFields, tokenFields } from '../pass-fields.js';
import { HIDDEN, paddingScores, type TokenBatch } from '../positions.js';
import { type IdRows, passPlace, tokenBatch } from '../token-batch.js';
import { assertHeld, disposeParts } from '../weights/placed-parts.js';
import type { Residency } from '../weights/residency.js';
import { decoderBatch } from './t5-batches.js';
import { type T5Biases, t5Mixing } from './t5-block.js';
import type { T5Architecture } from './t5-config.js';
import { assertT5Names } from './t5-hook-names.js';
import { t5InterventionHook } from './t5-interventions.js';
import { distanceBiases, runT5Stack, t5Logits, type T5Parts } from './t5-stack.js';
import type { T5Side } from './t5-weights.js';

/** What a pass of both sides reads. */
export interface T5Input {
  /** Of the encoder, `[B, S]`. */
  readonly ids: IdRows;
  /** 1 for a token, 0 for padding; default all 1. */
  readonly mask?: IdRows | undefined;
  /** Of the decoder, `[B, T]`: begin with `architecture.startId`. */
  readonly decoderIds: IdRows;
  readonly decoderMask?: IdRows | undefined;
  /** Called at their places, in this order, after interventions. */
  readonly hooks?: readonly Hook[] | undefined;
  readonly interventions?: readonly Intervention[] | undefined;
  readonly capture?: HookNames | undefined;
}

const inputSchema = z.strictObject({
  ...tokenFields,
  decoderIds: passFields.rows,
  decoderMask: passFields.rows.optional(),
  hooks: passFields.hooks,
  interventions: passFields.interventions,
  capture: passFields.names.optional(),
} satisfies OptionFields<T5Input>);

/** What a pass gives; the caller disposes it. */
export interface T5Result {
  /** `[B, T, V]`. */
  readonly logits: tf.Tensor3D;
  /** The encoder's rows after its norm, `[B, S, D]`. */
  readonly encoded: tf.Tensor3D;
  readonly captured: ReadonlyMap<string, Captured>;
  dispose(): void;
}

/** What the decoder reads of the encoder. */
export interface T5Encoded {
  /** Rows after its norm, `[B, S, D]`. */
  readonly rows: tf.Tensor3D;
  readonly batch: TokenBatch;
  /** Called at keys and values that are made of them; default those of the decoder. */
  readonly hooks?: HookRunner | undefined;
}

/** A T5, ready to run. */
export class T5Model {
  /** Where its weights stay. */
  readonly residency: Residency;

  /** Use {@link loadT5}. */
  constructor(
    readonly architecture: T5Architecture,
    /** @internal Weights, for what takes a pass apart. */
    readonly parts: T5Parts['parts'],
  ) {
    this.residency = parts.residency;
  }

  /**
   * Logits of the decoder's tokens, and the encoder's rows.
   *
   * {@link t5HookNames} lists the places of hooks.
   *
   * @throws {ConfigError} for an option that is not known or of another kind, the name of a place
   *   that is not there, and changes that do not fit.
   * @throws {ShapeError} where rows differ in length, or are not as many on both sides.
   * @throws {DataError} for an id that the vocabulary does not have, and a mask without tokens.
   * @throws {ModelError} once it has been disposed.
   */
  async forward(input: T5Input): Promise<T5Result> {
    checkOptions('transformer/forward of a T5', input, inputSchema);
    assertHeld(this.parts);
    const { vocabularySize } = this.architecture;
    const encoder = tokenBatch(input, vocabularySize);
    const decoder = decoderBatch(input, vocabularySize);
    const named = [...(input.hooks ?? []).map(({ names }) => names), input.capture];
    for (const names of named) {
      if (names !== undefined) assertT5Names(names, this.architecture);
    }
    const changes = (input.interventions ?? []).map((one) =>
      t5InterventionHook(one, this.architecture),
    );
    const captures = new Captures(input.capture);
    const all = [...changes, ...(input.hooks ?? []), ...captures.hooks];
    const hooks = new HookRunner(all, passPlace(decoder));
    const encoderHooks = new HookRunner(all, passPlace(encoder));
    let encoded: tf.Tensor3D | null = null;
    try {
      const rows = await this.encode(encoder, encoderHooks);
      encoded = rows;
      const read = { rows, batch: encoder, hooks: encoderHooks };
      const decoded = await this.decode(decoder, hooks, read);
      const logits = await t5Logits(this, decoded, hooks);
      await captures.fetch();
      const { found: captured } = captures;
      return { logits, encoded: rows, captured, dispose: () => tf.dispose([logits, rows]) };
    } catch (error) {
      encoded?.dispose();
      throw error;
    } finally {
      captures.dispose();
    }
  }

  /** @internal Rows of the encoder after its norm, `[B, S, D]`. */
  async encode(batch: TokenBatch, hooks: HookRunner): Promise<tf.Tensor3D> {
    const biases = this.biases('encoder', batch);
    const own = t5Mixing(biases);
    const input = {
      ...batch,
      side: 'encoder',
      hooks,
      mixing: () => ({ own, cross: null }),
    } as const;
    return runT5Stack(this, input).finally(() => disposeBiases(biases));
  }

  /** @internal Rows of the decoder after its norm, `[B, T, D]`. */
  async decode(batch: TokenBatch, hooks: HookRunner, encoded: T5Encoded): Promise<tf.Tensor3D> {
    const biases = this.biases('decoder', batch);
    const mask = paddingMask(encoded.batch);
    const across = t5Mixing({ distances: null, mask, sum: mask }, encoded.rows, encoded.hooks);
    const mixings = { own: t5Mixing(biases), cross: across };
    const input = { ...batch, side: 'decoder', hooks, mixing: () => mixings } as const;
    return runT5Stack(this, input).finally(() => {
      disposeBiases(biases);
      mask.dispose();
    });
  }

  private biases(side: T5Side, batch: TokenBatch): T5Biases {
    const distances = distanceBiases(this, side, [batch.length, batch.length]);
    const mask = side === 'encoder' ? paddingMask(batch) : causalMask(batch);
    return { distances, mask, sum: tf.add(distances, mask) };
  }

  /** Frees all weights and closes the files. */
  dispose(): void {
    disposeParts(this.parts);
  }
}

function disposeBiases({ distances, mask, sum }: T5Biases): void {
  distances?.dispose();
  tf.dispose([mask, sum]);
}

/** Hides padding and tokens behind a query, `[B, 1, T, T]`. */
export function causalMask(batch: TokenBatch): tf.Tensor {
  const { length } = batch;
  const causal = Float32Array.from({ length: length * length }, (_, at) =>
    at % length > Math.floor(at / length) ? HIDDEN : 0,
  );
  return tf.tidy(() => tf.add(paddingMask(batch), tf.tensor4d(causal, [1, 1, length, length])));
}

/** Hides padding, `[B, 1, 1, S]`. */
export function paddingMask(batch: TokenBatch): tf.Tensor {
  return tf.tensor4d(paddingScores(batch), [batch.batchSize, 1, 1, batch.length]);
}
