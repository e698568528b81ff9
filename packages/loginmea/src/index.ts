export {
  type AlignmentLoss,
  alignmentLoss,
  drawNegatives,
  type HardSampleChoice,
  type IclChoice,
  type InfoNceChoice,
  type MarginChoice,
} from './alignment-loss.js';
export { addEarlyWeights, earlyFusion } from './early-fusion.js';
export {
  addEncoderParameters,
  type EncoderParameters,
  type EncoderSize,
  encodeModality,
  encoderParameters,
  type Features,
} from './encoders.js';
export { addFusionOutput, type FusionOutput, fusionOutput } from './fusion-output.js';
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
  type FusedInteraction,
  type Fusion,
  type LocalChoices,
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
  uniformWeights,
  type WeightSource,
} from './modality-weights.js';
export { createModel, type LoginmeaModel, type ModelInputs } from './model.js';
export { completeSettings, type EncoderChoice, type ModelSettings } from './model-settings.js';
export {
  addConcatenationParameters,
  concatenationFusion,
  type ConcatenationParameters,
  concatenationParameters,
  sumFusion,
} from './plain-fusion.js';
export {
  type Propagation,
  type PropagationNetwork,
  propagationStates,
  reflectionStates,
  type RelationNetwork,
} from './propagation.js';
export {
  addProxyParameters,
  proxyMatching,
  type ProxyParameters,
  proxyParameters,
} from './proxy-matching.js';
export {
  addRelationParameters,
  createNetworks,
  createRelationGraph,
  jointBlocks,
  neighbourhoodMean,
  type NetworkSettings,
  type RelationEncoder,
  type RelationGraph,
  relationKernels,
  type RelationSets,
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
export { embedBlocks, type EmbeddedBlock } from './blockwise-embed.js';
export { type BlockwiseModel, createBlockwiseModel, loadBlockwise } from './blockwise-model.js';
export {
  type BlockwiseGradients,
  blockwiseGradients,
  type BlockwiseOptimizer,
  type BlockwiseStepInput,
  blockwiseTrainStep,
  createBlockwiseOptimizer,
} from './blockwise-step.js';
export type { BlockOptions, BlockProgress } from './block-passes.js';
export {
  createHostGraph,
  type HostFeatures,
  type HostGraph,
  type HostInputs,
} from './host-inputs.js';
export { evaluateModel, exampleSource, readTask } from '@lab/alignment';
export { type LoginmeaConfig, loginmeaConfig } from './config.js';
export {
  align,
  type AlignGraphsOptions,
  conclude,
  type RestoredRun,
  restoreRun,
  runLoginmeaExperiment,
  train,
  type TrainOptions,
  type TrainResult,
} from './library.js';
export { loginmea } from './method.js';
export { presets } from './presets.js';
