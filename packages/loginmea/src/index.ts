export { addEarlyWeights, earlyFusion } from './early-fusion.js';
export {
  addEncoderParameters,
  type EncoderParameters,
  type EncoderSize,
  encodeModality,
  encoderParameters,
  type Features,
} from './encoders.js';
export {
  type ContrastiveOptions,
  contrastiveLoss,
  type HardSampleOptions,
  hardSampleLoss,
  intraContrastiveLoss,
  marginLoss,
  type SeedBatch,
} from './losses.js';
export {
  addFusionParameters,
  factorStart,
  type FusionParameters,
  type FusionSize,
  type FusionStart,
  fusionParameters,
  lowRankFusion,
} from './low-rank-fusion.js';
export { type Modality, modalities, type PerModality, presentModalities } from './modalities.js';
export {
  addModalityQuery,
  availabilityMask,
  modalityScores,
  modalityWeights,
} from './modality-weights.js';
