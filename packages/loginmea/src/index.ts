export {
  type AlignedGraphs,
  type AlignedPair,
  type AlignmentMetrics,
  type AlignmentTask,
  alignEntities,
  candidateTable,
  type DataSource,
  evaluateModel,
  exampleSource,
  readTask,
  type RunSummary,
  type TrainProgress,
  type TrainingState,
  writeEmbeddings,
  writePairs,
} from '@lab/alignment';
export type { BlockwiseLearner } from './blockwise-learner.js';
export { embedBlocks } from './blockwise-embed.js';
export { createBlockwiseModel, loadBlockwise } from './blockwise-model.js';
export { blockwiseTrainStep, createBlockwiseOptimizer } from './blockwise-step.js';
export { type LoginmeaConfig, loginmeaConfig } from './config.js';
export { earlyFusion } from './early-fusion.js';
export type { LoginmeaEncoding } from './encoding.js';
export type { LoginmeaEpochRecord } from './epoch-record.js';
export { createHostGraph, type HostInputs } from './host-inputs.js';
export type { LoginmeaLearner } from './learner.js';
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
export { contrastiveLoss, hardSampleLoss, intraContrastiveLoss, marginLoss } from './losses.js';
export { lowRankFusion } from './low-rank-fusion.js';
export { loginmea } from './method.js';
export { type Modality, modalities } from './modalities.js';
export { modalityScores, modalityWeights } from './modality-weights.js';
export { createModel, type LoginmeaModel, type ModelInputs } from './model.js';
export type { ModelSettings } from './model-settings.js';
export { presets } from './presets.js';
export { proxyMatching } from './proxy-matching.js';
export { createRelationGraph } from './relation-attention.js';
