/**
 * What this method records of an epoch beside what all methods do.
 */
import type { EpochRecord } from '@lab/alignment';
import type { PerModality } from './modalities.js';

/** A line of `metrics.jsonl`. */
export interface LoginmeaEpochRecord extends EpochRecord {
  /** Mean loss of each seed batch. */
  readonly batches: readonly number[];
  /** Soft-max of the early weights after the step, in the order of `modalities`. */
  readonly earlyWeights?: readonly number[];
  /** Mean weight of each modality over the entities; at evaluations only. */
  readonly modalityWeights?: PerModality<number>;
  /** Mean length of the fused vectors; at evaluations only. */
  readonly fusedNorm?: number;
}
