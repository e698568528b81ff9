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
  addLocalParameters,
  type EntityFeatures,
  type LocalInteraction,
  type LocalSize,
  localInteraction,
} from './local-interaction.js';
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
export {
  createModel,
  type LoginmeaModel,
  type ModelInputs,
  type ModelSettings,
} from './model.js';
export {
  addRelationParameters,
  createRelationGraph,
  jointBlocks,
  neighbourhoodMean,
  reflectionStates,
  type RelationEncoder,
  type RelationGraph,
  relationKernels,
  type RelationNetwork,
  type RelationSize,
  sharedSetVectors,
  structureBlocks,
} from './relation-attention.js';
export {
  createOptimizer,
  type GradientRecord,
  type StepGradients,
  stepGradients,
  type StepInput,
  trainStep,
} from './step.js';
