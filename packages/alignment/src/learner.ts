/**
 * What a method gives to the training loop: parameters, an optimiser step, and vectors.
 */
import type { Random } from '@lab/core';
import type { AdamW, HostRows, Parameters, tf } from '@lab/tensor';
import type { Modality } from './config-fields.js';

/** Entities of both graphs, dense indices. */
export interface EntitySides {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/** L2-normalised rows of both sides, `[n, D]` and `[m, D]`, one tensor per draw. */
export interface EmbeddedSides {
  readonly left: tf.Tensor2D[];
  readonly right: tf.Tensor2D[];
  dispose(): void;
}

/** L2-normalised rows of both sides in the host's memory, `[n, D]` and `[m, D]`. */
export interface HostSides {
  readonly left: HostRows;
  readonly right: HostRows;
}

/** Options of {@link Encoding.embedHost}. */
export interface HostEmbedOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** How sure the model is of an entity, where it says so. */
export interface EntityUncertainty {
  /** On the axis of a figure. */
  readonly label: string;
  /** One number per entity of both graphs, `[N]`. */
  values(): Promise<Float32Array>;
}

/** All entities encoded by the model as it is; the caller disposes it. */
export interface Encoding {
  /**
   * Rows of some entities.
   *
   * @param random - stream of the model's noise; null takes the rows without any. A model without
   *   noise ignores it.
   */
  embed(sides: EntitySides, random: Random | null): EmbeddedSides | Promise<EmbeddedSides>;
  /**
   * As `embed` without noise, in the host's memory: of a model for graphs whose rows would fill the
   * backend. Absent where the rows of all entities fit there.
   */
  embedHost?(sides: EntitySides, options?: HostEmbedOptions): Promise<HostSides>;
  /** L2-normalised rows of one modality alone, without noise, `[n, d]`. */
  modalityRows(modality: Modality, entities: Int32Array): tf.Tensor2D | Promise<tf.Tensor2D>;
  /** Null or absent where the model does not say. */
  readonly uncertainty?: EntityUncertainty | null;
  /** Numbers about the encoding for the record of an evaluation. */
  describe?(): Promise<Record<string, unknown>>;
  dispose(): void;
}

/** What one step reads. */
export interface LearnerStep {
  /** Epochs done before it. */
  readonly epoch: number;
  /** Seed pairs in use, interleaved. */
  readonly seeds: Int32Array;
  /** The epoch's stream. */
  readonly random: Random;
}

/** What one step tells; a method adds what it likes. */
export interface StepRecord {
  readonly learningRate: number;
  /** What was minimised, summed over the batches. */
  readonly loss: number;
  readonly [name: string]: unknown;
}

/** A model in training. */
export interface Learner {
  readonly parameters: Parameters;
  /** Modalities that both the data and the config have. */
  readonly modalities: readonly Modality[];
  /** The optimiser in use: its moments are saved with the parameters. */
  readonly optimizer: AdamW;
  /**
   * One optimiser step over all seed pairs.
   *
   * @throws {ModelError} when a loss is not finite; the parameters are then unchanged.
   */
  step(input: LearnerStep): Promise<StepRecord>;
  /**
   * All entities encoded.
   *
   * @param proposal - stream for the noise of training, which is on while pairs are proposed;
   *   without it everything is as at evaluation.
   */
  encode(proposal?: Random): Encoding;
  /** What a checkpoint keeps beside parameters and moments: plain data, or null. */
  savedState(): unknown;
  restoreState(saved: unknown): void;
  dispose(): void;
}
