/**
 * Local interaction: from the features of each entity to its fused vector and its early feature.
 */
import type { Random } from '@lab/core';
import { gatherRows, type Parameters, tf } from '@lab/tensor';
import type { DistinctFeatures } from './distinct-features.js';
import { addEarlyWeights, earlyFusion } from './early-fusion.js';
import {
  addEncoderParameters,
  encodeModality,
  type EncoderParameters,
  encoderParameters,
  type Features,
} from './encoders.js';
import { addFusionOutput, type FusionOutput, fusionOutput } from './fusion-output.js';
import {
  addFusionParameters,
  fusionParameters,
  type FusionStart,
  lowRankFusion,
} from './low-rank-fusion.js';
import { type PerModality, presentModalities } from './modalities.js';
import { entityCountOf, type ModalityRows, rowsAt, type SpreadRows } from './modality-rows.js';
import {
  addModalityQuery,
  modalityScores,
  modalityWeights,
  uniformWeights,
  type WeightSource,
} from './modality-weights.js';
import {
  addConcatenationParameters,
  concatenationFusion,
  concatenationParameters,
  sumFusion,
} from './plain-fusion.js';

/** How the modalities of an entity become one vector; `early-only`: they do not. */
export type Fusion = 'low-rank' | 'sum' | 'concatenation' | 'early-only';

/** What is known of each entity beside the graph. */
export interface EntityFeatures {
  /** Of the M modalities that the data has, `[N, F_m]` each. */
  readonly features: PerModality<Features>;
  /** 1 where the entity has the modality, else 0, `[N, M]`; null: all have all. */
  readonly available: tf.Tensor2D | null;
}

/** The same with equal rows of features once, where that pays. */
export interface SharedFeatures extends Pick<EntityFeatures, 'available'> {
  readonly features: PerModality<DistinctFeatures | Features>;
}

/** Choices of the local interaction. */
export interface LocalChoices {
  /** Default `low-rank`. */
  readonly fusion?: Fusion;
  /** Default `none`. */
  readonly fusionOutput?: FusionOutput;
  /** Default `entity`. */
  readonly modalityWeights?: WeightSource;
}

/** All that the local interaction makes. */
export interface LocalInteraction {
  /** z_m, `[N, D]` each. */
  readonly rows: PerModality<tf.Tensor2D>;
  /** Scores of the modalities, `[N, M]`; null where no score decides. */
  readonly scores: tf.Tensor2D | null;
  /** alpha, `[N, M]`; null without fusion. */
  readonly weights: tf.Tensor2D | null;
  /** f, `[N, D]`; null without fusion. */
  readonly fused: tf.Tensor2D | null;
  /** g, `[N, M D]`. */
  readonly early: tf.Tensor2D;
}

/** The same where scores decide and there is a fusion, as by default. */
export interface FusedInteraction extends LocalInteraction {
  readonly scores: tf.Tensor2D;
  readonly weights: tf.Tensor2D;
  readonly fused: tf.Tensor2D;
}

/** Sizes and choices of the parameters of the local interaction. */
export interface LocalSize extends LocalChoices {
  /** Columns of the features of each modality at hand, F_m. */
  readonly featureCounts: PerModality<number>;
  /** D. */
  readonly size: number;
  /** K. */
  readonly rank: number;
  readonly start: FusionStart;
}

/**
 * Encoders, modality weights, fusion and early feature, one after the other: see `encodeModality`,
 * `modalityScores`, `modalityWeights`, `lowRankFusion` and `earlyFusion`; by choice
 * `uniformWeights`, `sumFusion`, `concatenationFusion` and `fusionOutput`. With `early-only` there
 * is no fused vector.
 *
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalEncoderMrFusion`; equation not verified.
 *
 * @param parameters - those of {@link addLocalParameters}, for the same choices.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {ConfigError} when there is no modality.
 */
export function localInteraction(
  inputs: EntityFeatures,
  parameters: Pick<Parameters, 'get'>,
): FusedInteraction;
export function localInteraction(
  inputs: EntityFeatures,
  parameters: Pick<Parameters, 'get'>,
  choices: LocalChoices,
): LocalInteraction;
export function localInteraction(
  { features, available }: EntityFeatures,
  parameters: Pick<Parameters, 'get'>,
  choices: LocalChoices = {},
): LocalInteraction {
  const rows: PerModality<tf.Tensor2D> = {};
  for (const modality of presentModalities(features)) {
    rows[modality] = encodeModality(features[modality]!, encoderParameters(parameters, modality));
  }
  const fusion = fusedVectors(rows, available, { parameters, ...choices });
  const early = earlyFusion(rows, parameters.get('earlyWeights') as tf.Tensor1D, available);
  return { rows, ...fusion, early };
}

/**
 * As {@link localInteraction}, with all that depends on one modality alone computed once for the
 * entities whose features are the same: f and g, in other roundings.
 *
 * @param inputs - features as they are, or distinct ones; with `entities`, int32 `[C]`, g of these
 *   alone.
 */
export function sharedInteraction(
  { features, available, entities = null }: SharedFeatures & { entities?: tf.Tensor1D | null },
  parameters: Pick<Parameters, 'get'>,
  choices: LocalChoices = {},
): Pick<LocalInteraction, 'fused' | 'early'> {
  const rows: PerModality<ModalityRows> = {};
  for (const modality of presentModalities(features)) {
    const own = features[modality]!;
    const encoder = encoderParameters(parameters, modality);
    rows[modality] = 'spread' in own ? spreadModality(own, encoder) : encodeModality(own, encoder);
  }
  const { fused } = fusedVectors(rows, available, { parameters, ...choices });
  const scores = parameters.get('earlyWeights') as tf.Tensor1D;
  if (entities === null) return { fused, early: earlyFusion(rows, scores, available) };
  const chosen: PerModality<tf.Tensor2D> = {};
  for (const modality of presentModalities(rows)) {
    chosen[modality] = rowsAt(rows[modality]!, entities);
  }
  const mask = available === null ? null : gatherRows(available, entities);
  return { fused, early: earlyFusion(chosen, scores, mask) };
}

/** z_m of distinct features. */
function spreadModality(
  { rows: features, spread }: DistinctFeatures,
  encoder: EncoderParameters,
): SpreadRows {
  return { rows: encodeModality(features, encoder), spread, source: { features, encoder } };
}

/** Scores, weights and fused vectors. */
function fusedVectors(
  rows: PerModality<ModalityRows>,
  available: tf.Tensor2D | null,
  choices: LocalChoices & { readonly parameters: Pick<Parameters, 'get'> },
): Pick<LocalInteraction, 'scores' | 'weights' | 'fused'> {
  const { parameters, fusion = 'low-rank', modalityWeights: source = 'entity' } = choices;
  if (fusion === 'early-only') return { scores: null, weights: null, fused: null };
  const present = presentModalities(rows);
  const isUniform = source === 'uniform';
  const query = isUniform ? null : (parameters.get('modalityQuery') as tf.Tensor1D);
  const scores = query === null ? null : modalityScores(rows, query);
  const entityCount = entityCountOf(rows[present[0]!]!);
  const weights =
    scores === null
      ? uniformWeights([entityCount, present.length], available)
      : modalityWeights(scores, available);
  const fuse = {
    'low-rank': () => lowRankFusion(rows, weights, fusionParameters(parameters, present)),
    sum: () => sumFusion(rows, weights),
    concatenation: () => concatenationFusion(rows, weights, concatenationParameters(parameters)),
  };
  const output = choices.fusionOutput ?? 'none';
  const fused = tf.tidy(() => fusionOutput(fuse[fusion](), output, parameters));
  return { scores, weights, fused };
}

/**
 * Adds the parameters of the local interaction: encoders, `modalityQuery`, `fusion.*` and
 * `earlyWeights`, each from the stream of its own name; only those that the choices read, and
 * `concatenation.*` and `fusion.norm.*` where they do.
 *
 * @throws {ConfigError} when there is no modality.
 */
export function addLocalParameters(
  parameters: Parameters,
  { featureCounts, size, rank, start, ...choices }: LocalSize,
  random: Random,
): void {
  const { fusion = 'low-rank', modalityWeights: source = 'entity' } = choices;
  const present = presentModalities(featureCounts);
  for (const modality of present) {
    const featureCount = featureCounts[modality]!;
    addEncoderParameters(parameters, { modality, featureCount, size }, random);
  }
  const isFused = fusion !== 'early-only';
  if (isFused && source === 'entity') addModalityQuery(parameters, size, random);
  if (fusion === 'low-rank') {
    addFusionParameters(parameters, { modalities: present, rank, size, start }, random);
  }
  if (fusion === 'concatenation') {
    addConcatenationParameters(parameters, [present.length, size], random);
  }
  if (isFused) addFusionOutput(parameters, size, choices.fusionOutput ?? 'none');
  addEarlyWeights(parameters);
}
