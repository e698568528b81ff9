export {
  type AlignedGraphs,
  type AlignedPair,
  type AlignmentEvaluation,
  type AlignmentMetrics,
  type AlignmentTask,
  type AlignOptions,
  alignEntities,
  type BaselineResult,
  type CandidateTable,
  candidateTable,
  type Conclusion,
  type ConfidenceModel,
  type ConfidenceQuality,
  confidenceOf,
  type DataSource,
  type EmbeddingFiles,
  evaluateModel,
  type ExampleSource,
  exampleSource,
  fitConfidence,
  fittedConfidence,
  measureBaseline,
  type Modality,
  modalities,
  type NamedPair,
  type PairEvidence,
  readTask,
  type RunSummary,
  type TrainProgress,
  type TrainingState,
  writeEmbeddings,
  writePairs,
} from '@lab/alignment';
export {
  klOfficial,
  klToStandardNormal,
  officialPriorScale,
  type Posterior,
  sampleRows,
} from './bottleneck.js';
export { type IbmeaConfig, ibmeaConfig } from './config.js';
export type { IbmeaEpochRecord } from './epoch-record.js';
export { attentionFusion, varianceFusion, weightedFusion } from './fusion.js';
export type { IbmeaLearner } from './learner.js';
export {
  align,
  type AlignGraphsOptions,
  conclude,
  type RestoredRun,
  restoreRun,
  runIbmeaExperiment,
  train,
  type TrainOptions,
  type TrainResult,
} from './library.js';
export { contrastiveTerms, klTerms, type LossParts, totalLoss } from './losses.js';
export { ibmea } from './method.js';
export { createModel, type IbmeaModel, type Posteriors } from './model.js';
export type { ModelInputs } from './model-inputs.js';
export { presets } from './presets.js';
