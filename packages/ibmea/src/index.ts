export {
  type AlignedGraphs,
  type AlignGraphsOptions,
  align,
  type NamedPair,
} from './align-graphs.js';
export {
  type AlignedPair,
  type AlignOptions,
  alignEntities,
  type CandidateTable,
  candidateTable,
} from './align.js';
export { type BaselineResult, measureBaseline } from './baseline.js';
export {
  klOfficial,
  klToStandardNormal,
  officialPriorScale,
  type Posterior,
  sampleRows,
} from './bottleneck.js';
export { type Conclusion, conclude, fittedConfidence } from './conclude.js';
export {
  type ConfidenceModel,
  type ConfidenceQuality,
  confidenceOf,
  fitConfidence,
  type PairEvidence,
} from './confidence.js';
export { type IbmeaConfig, ibmeaConfig, type Modality, modalities } from './config.js';
export { type AlignmentTask, type DataSource, readTask } from './data.js';
export { type EmbeddingFiles, writeEmbeddings } from './embeddings.js';
export {
  type AlignmentEvaluation,
  type AlignmentMetrics,
  evaluateModel,
} from './evaluate.js';
export { type IbmeaExperiment, runIbmeaExperiment } from './experiment.js';
export { writePairs } from './export.js';
export { attentionFusion, varianceFusion, weightedFusion } from './fusion.js';
export { contrastiveTerms, klTerms, type LossParts, totalLoss } from './losses.js';
export { createModel, type IbmeaModel, type Posteriors } from './model.js';
export type { ModelInputs } from './model-inputs.js';
export { presets } from './presets.js';
export { type RestoredRun, restoreRun } from './restore.js';
export type { RunSummary } from './run-summary.js';
export type { EpochRecord } from './epoch-record.js';
export type { TrainingState } from './training-state.js';
export type { TrainOptions, TrainProgress, TrainResult } from './training-options.js';
export { train } from './training-run.js';
