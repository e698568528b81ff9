/**
 * What is kept of every epoch.
 */
import type { AlignmentMetrics } from './alignment-metrics.js';

/** What a round of pseudo seeds did. */
export interface PseudoSeedRecord {
  readonly candidates: number;
  readonly accepted: number;
  readonly removed: number;
  /** Removed pairs that are gold links. */
  readonly removedCorrect: number;
  /** Accepted pairs that are gold links; only known where gold links are. */
  readonly correct: number;
}

/** What is recorded of one epoch, a line of `metrics.jsonl`; a method's step adds its own. */
export interface EpochRecord {
  readonly epoch: number;
  readonly learningRate: number;
  /** Sum over the batches, weighted. */
  readonly loss: number;
  /** Seed pairs that this epoch trained on. */
  readonly seeds: number;
  readonly pseudoSeeds?: PseudoSeedRecord;
  readonly evaluation?: AlignmentMetrics;
  readonly validation?: AlignmentMetrics;
  /** What the evaluations did otherwise than asked, for the user. */
  readonly remarks?: readonly string[];
  readonly [name: string]: unknown;
}
