/**
 * What is kept of every epoch.
 */
import type { AlignmentMetrics } from './evaluate.js';
import type { PseudoSeedRecord } from './pseudo-seed-round.js';

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
