/**
 * What is kept of every epoch.
 */
import type { Modality } from './config.js';
import type { AlignmentMetrics } from './evaluate.js';
import type { PseudoSeedRecord } from './pseudo-seeds.js';
import type { BatchLoss } from './step.js';

/** What is recorded of one epoch: a line of `metrics.jsonl`. */
export interface EpochRecord {
  readonly epoch: number;
  readonly learningRate: number;
  /** Sum over the batches, weighted. */
  readonly loss: number;
  readonly batches: readonly BatchLoss[];
  readonly gradientNorms: readonly number[];
  /** Seed pairs that this epoch trained on. */
  readonly seeds: number;
  readonly pseudoSeeds?: PseudoSeedRecord;
  readonly evaluation?: AlignmentMetrics;
  readonly validation?: AlignmentMetrics;
  /** Fusion weights after the step, in slot order; absent with attention fusion. */
  readonly fusionWeights?: readonly number[];
  /** Mean posterior deviation per modality, without dropout; at evaluations only. */
  readonly meanScale?: Partial<Record<Modality, number>>;
  /** What the evaluations did otherwise than asked, for the user. */
  readonly remarks?: readonly string[];
  /** Values that mode official replaced because they were not finite. */
  readonly repaired?: number;
}
