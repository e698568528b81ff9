/**
 * Local interaction: from the features of each entity to its fused vector and its early feature.
 */
import type { Random } from '@lab/core';
import type { Parameters, tf } from '@lab/tensor';
import { addEarlyWeights, earlyFusion } from './early-fusion.js';
import {
  addEncoderParameters,
  encodeModality,
  encoderParameters,
  type Features,
} from './encoders.js';
import {
  addFusionParameters,
  fusionParameters,
  type FusionStart,
  lowRankFusion,
} from './low-rank-fusion.js';
import { type PerModality, presentModalities } from './modalities.js';
import { addModalityQuery, modalityScores, modalityWeights } from './modality-weights.js';

/** What is known of each entity beside the graph. */
export interface EntityFeatures {
  /** Of the M modalities that the data has, `[N, F_m]` each. */
  readonly features: PerModality<Features>;
  /** 1 where the entity has the modality, else 0, `[N, M]`; null: all have all. */
  readonly available: tf.Tensor2D | null;
}

/** All that the local interaction makes. */
export interface LocalInteraction {
  /** z_m, `[N, D]` each. */
  readonly rows: PerModality<tf.Tensor2D>;
  /** Scores of the modalities, `[N, M]`. */
  readonly scores: tf.Tensor2D;
  /** alpha, `[N, M]`. */
  readonly weights: tf.Tensor2D;
  /** f, `[N, D]`. */
  readonly fused: tf.Tensor2D;
  /** g, `[N, M D]`. */
  readonly early: tf.Tensor2D;
}

/** Sizes of the parameters of the local interaction. */
export interface LocalSize {
  /** Columns of the features of each modality at hand, F_m. */
  readonly featureCounts: PerModality<number>;
  /** D. */
  readonly size: number;
  /** K. */
  readonly rank: number;
  readonly start: FusionStart;
}

/**
 * Encoders, modality weights, low-rank fusion and early feature, one after the other: see
 * `encodeModality`, `modalityScores`, `modalityWeights`, `lowRankFusion` and `earlyFusion`.
 *
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalEncoderMrFusion`; equation not verified.
 *
 * @param parameters - those of {@link addLocalParameters}.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {ConfigError} when there is no modality.
 */
export function localInteraction(
  { features, available }: EntityFeatures,
  parameters: Pick<Parameters, 'get'>,
): LocalInteraction {
  const present = presentModalities(features);
  const rows: PerModality<tf.Tensor2D> = {};
  for (const modality of present) {
    rows[modality] = encodeModality(features[modality]!, encoderParameters(parameters, modality));
  }
  const scores = modalityScores(rows, parameters.get('modalityQuery') as tf.Tensor1D);
  const weights = modalityWeights(scores, available);
  const fused = lowRankFusion(rows, weights, fusionParameters(parameters, present));
  const early = earlyFusion(rows, parameters.get('earlyWeights') as tf.Tensor1D, available);
  return { rows, scores, weights, fused, early };
}

/**
 * Adds the parameters of the local interaction: encoders, `modalityQuery`, `fusion.*` and
 * `earlyWeights`, each from the stream of its own name.
 *
 * @throws {ConfigError} when there is no modality.
 */
export function addLocalParameters(
  parameters: Parameters,
  { featureCounts, size, rank, start }: LocalSize,
  random: Random,
): void {
  const present = presentModalities(featureCounts);
  for (const modality of present) {
    const featureCount = featureCounts[modality]!;
    addEncoderParameters(parameters, { modality, featureCount, size }, random);
  }
  addModalityQuery(parameters, size, random);
  addFusionParameters(parameters, { modalities: present, rank, size, start }, random);
  addEarlyWeights(parameters);
}
