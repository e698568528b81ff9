/**
 * What a training consists of: everything that an epoch changes and a checkpoint saves.
 */
import type { Random } from '@lab/core';
import type { PseudoSeeds } from '@lab/graph';
import type { ParameterArray } from '@lab/tensor';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentTask } from './data.js';
import type { AlignmentMetrics } from './alignment-metrics.js';
import type { EpochRecord } from './epoch-record.js';
import type { Learner } from './learner.js';

/** Everything that changes while training. */
export interface TrainingState<
  C extends AlignmentConfig = AlignmentConfig,
  L extends Learner = Learner,
> {
  /** Name of the method's program. */
  readonly name: string;
  readonly task: AlignmentTask;
  readonly config: C;
  readonly learner: L;
  readonly pseudoSeeds: PseudoSeeds;
  readonly random: Random;
  /** Epochs done. */
  epoch: number;
  /** Seed pairs in use, interleaved; grows with accepted pseudo seeds. */
  seeds: Int32Array;
  /** The epoch whose step is done and whose end was broken off; null between epochs. */
  unfinished: UnfinishedEpoch | null;
  /** The evaluation that `evaluation.select` prefers so far. */
  selection: Selection;
  /** Parameters of the selected epoch when there is no run folder to keep them in. */
  selectedParameters: Record<string, ParameterArray> | null;
  dispose(): void;
}

/** What is known of an epoch before its end: training goes on there, not with the next step. */
export interface UnfinishedEpoch {
  /** The record up to there. */
  readonly record: EpochRecord;
  /** Whether its round of pseudo seeds is done. */
  readonly isProposed: boolean;
}

/** The best evaluation so far, by the configured rule. */
export interface Selection {
  /** Score of the best epoch (validation MRR or test H@1); null before the first evaluation. */
  readonly score: number | null;
  /** Epochs that were done when it was reached. */
  readonly epoch: number;
  /** Metrics on the test links then. */
  readonly evaluation: AlignmentMetrics | null;
  /** Evaluations since then. */
  readonly waited: number;
}
