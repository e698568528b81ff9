/**
 * What this method records of an epoch beside what all methods do.
 */
import type { EpochRecord, Modality } from '@lab/alignment';
import type { StepResult } from './step.js';

/** A line of `metrics.jsonl`. */
export interface IbmeaEpochRecord extends EpochRecord, StepResult {
  /** Fusion weights after the step, in slot order; absent with attention fusion. */
  readonly fusionWeights?: readonly number[];
  /** Mean posterior deviation per modality, without dropout; at evaluations only. */
  readonly meanScale?: Partial<Record<Modality, number>>;
  /** Values that mode official replaced because they were not finite. */
  readonly repaired?: number;
}
