/**
 * What a training takes beside its data, and what it tells while it runs.
 */
import type { DeepPartial, Logger, ResolvedConfig } from '@lab/core';
import type { TrainingConfig } from './training-config.js';
import type { TrainingExample } from './training-examples.js';
import type { TrainingHooks } from './training-pass.js';
import type { Evaluation } from './training-step.js';

/** What is known before the first step. */
export interface TrainingOutline {
  /** Of the model, adapters apart. */
  readonly weights: number;
  /** Numbers that are trained. */
  readonly trained: number;
  readonly examples: number;
  readonly heldOut: number;
  /** Tokens of an epoch. */
  readonly tokens: number;
  /** Share of an epoch's places that is padding. */
  readonly paddingShare: number;
  readonly steps: number;
  readonly epochs: number;
  /** Steps that were done before, where a run goes on. */
  readonly stepsDone: number;
  /** What is to be known of the data, one sentence each. */
  readonly remarks: readonly string[];
  /** Path of the run folder; null without one. */
  readonly run: string | null;
}

/** A line of `metrics.jsonl`. */
export interface StepRecord {
  /** From 1. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  /** Mean over the targets of the batch before the step, nats. */
  readonly loss: number;
  readonly learningRate: number;
  /** Of all gradients together, before it was clipped. */
  readonly gradientNorm: number;
  readonly targets: number;
  /** Loss of the held-out examples after the step; null where it was not asked for. */
  readonly evaluation: Evaluation | null;
}

/** A step that was made. */
export interface TrainingStep extends StepRecord {
  /** Steps in all. */
  readonly steps: number;
  /** Wall seconds of the step, its evaluation apart. */
  readonly seconds: number;
  /** Tokens that went through the blocks. */
  readonly tokens: number;
}

/** Where a training is. */
export type TrainingProgress =
  | { readonly stage: 'evaluating' | 'loading' | 'reading' | 'saving' }
  | ({ readonly stage: 'ready' } & TrainingOutline)
  | ({ readonly stage: 'step' } & TrainingStep);

/** A new run folder, or one to go on with. */
export type TrainingRunTarget =
  | {
      /** Folder of all runs. */
      readonly parent: string;
      /** This folder in the place of a new one in `parent`. */
      readonly dir?: string | undefined;
      /** What the run is about. */
      readonly label?: string | undefined;
      readonly command?: readonly string[] | undefined;
    }
  | { readonly resume: string };

/** Settings of a training; what is left out has the defaults of `transformer train`. */
export type TrainingSettings = DeepPartial<
  Pick<TrainingConfig, 'seed' | 'training' | 'tuning'> & {
    readonly data: Omit<TrainingConfig['data'], 'evaluation' | 'train'>;
  }
>;

/** Options of `trainModel` and `trainT5`. */
export interface TrainModelOptions extends TrainingSettings {
  /** Examples to evaluate on, or a file of them; default the held-out share of the others. */
  readonly evaluation?: readonly TrainingExample[] | string | undefined;
  /** Where to write a run folder; without it nothing is written. */
  readonly run?: TrainingRunTarget | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each step. */
  readonly onStep?: ((step: TrainingStep) => void) | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  readonly logger?: Logger | undefined;
  /** Seconds of a clock that only moves forward; default `performance.now() / 1000`. */
  readonly now?: (() => number) | undefined;
  /**
   * @internal What is changed in the passes that are trained, such as heads that are ablated. No
   * part of what a resumed run is checked for.
   */
  readonly hooks?: TrainingHooks | undefined;
  /** @internal All settings, resolved; in the place of those above. */
  readonly resolved?: ResolvedConfig<TrainingConfig> | undefined;
}
