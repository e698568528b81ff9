/**
 * A run in numbers.
 */
import type { BaselineResult } from './baseline.js';
import type { ConfidenceModel, ConfidenceQuality } from './confidence.js';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentMetrics } from './alignment-metrics.js';

/** The numbers of a run: what `--json` prints and `run.json` keeps as results. */
export interface RunSummary {
  readonly status: 'success';
  readonly metrics: AlignmentMetrics | null;
  /** Of the same epoch on the validation pairs; null without such pairs. */
  readonly validation: AlignmentMetrics | null;
  readonly validationPairs: number;
  readonly baseline: BaselineResult | null;
  readonly epochs: number;
  readonly selectedEpoch: number;
  /** Which evaluation the metrics come from. */
  readonly select: AlignmentConfig['evaluation']['select'];
  readonly parameters: number;
  readonly seeds: number;
  readonly pseudoSeeds: number;
  /** Where the seeds came from. */
  readonly seedOrigin: string;
  readonly testPairs: number;
  readonly confidence: ConfidenceQuality | null;
}

/** Confidence with its quality and where it was fitted. */
export interface FittedConfidence {
  readonly model: ConfidenceModel;
  readonly quality: ConfidenceQuality | null;
  /** In words: validation pairs, or half of the test pairs. */
  readonly fittedOn: string;
}
