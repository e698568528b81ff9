export {
  type AddedAlignOptions,
  alignAdded,
  type ExtendedTraining,
  extendTraining,
} from './added-entities.js';
export {
  type AlignedGraphs,
  type AlignGraphsOptions,
  alignGraphs,
  type NamedPair,
} from './align-graphs.js';
export { type AlignedPair, type AlignOptions, alignEntities } from './align.js';
export { type CandidateOptions, type CandidateTable, candidateTable } from './candidate-table.js';
export { type BaselineResult, measureBaseline } from './baseline.js';
export { type ConcludeOptions, type Conclusion, conclude, fittedConfidence } from './conclude.js';
export {
  type ConfidenceModel,
  type ConfidenceQuality,
  confidenceOf,
  fitConfidence,
  type PairEvidence,
} from './confidence.js';
export {
  type AlignmentConfig,
  dataFields,
  evaluationFields,
  type Modality,
  modalities,
  modalityField,
  pseudoSeedFields,
  seedField,
  trainingFields,
  valueAt,
} from './config-fields.js';
export { createTraining } from './create-training.js';
export { type AlignmentTask, type DataSource, readTask } from './data.js';
export { type EmbeddingFiles, writeEmbeddings } from './embeddings.js';
export type { EpochRecord } from './epoch-record.js';
export { epochAxis, hasPoints, series } from './epoch-series.js';
export type { AlignmentMetrics } from './alignment-metrics.js';
export {
  type AlignmentEvaluation,
  evaluateModel,
  type EvaluationInput,
} from './evaluate.js';
export {
  type AlignmentExperiment,
  groupsFor,
  runAlignmentExperiment,
} from './experiment.js';
export type { AlignmentExperimentOptions } from './experiment/options.js';
export {
  type AblationCell,
  type AblationGroup,
  type Corruption,
  modalityWords,
  type Rival,
} from './experiment/cell.js';
export { evidenceGroup, poorEvidenceGroup } from './experiment/evidence-group.js';
export {
  modalityGroup,
  type ProjectedTraining,
  projectionGroup,
  scaleGroup,
  settingSweep,
} from './experiment/common-groups.js';
export {
  asPercent,
  faultGroup,
  faultShares,
  type FaultSweep,
  imageGroups,
  lowResourceGroup,
  noiseGroup,
  noiseModalityGroup,
} from './experiment/fault-groups.js';
export { type ExampleSource, exampleSource } from './example-data.js';
export {
  type ExplainedNeighbours,
  type ExplainInput,
  type ExplainOptions,
  explainBest,
  explainPair,
  explainPairs,
  type Lacking,
  type NamedEntity,
  type PairExplanation,
} from './explain.js';
export { explanationText } from './explanation-text.js';
export { writePairs } from './export.js';
export { type EntityFeatures, entityFeatures, type FilledImages } from './features.js';
export type {
  EmbeddedSides,
  Encoding,
  EntitySides,
  EntityUncertainty,
  HostEmbedOptions,
  HostSides,
  Learner,
  LearnerStep,
  StepRecord,
} from './learner.js';
export { expectedEvidenceBytes } from './evidence/evidence-memory.js';
export { type MemoryExpectation, memoryExpectation, withEvidence } from './memory-expectation.js';
export type { AlignmentMethod, GroupInput, SectionInput } from './method.js';
export {
  baselineLabel,
  type ComparedCell,
  compareMethods,
  type Contestant,
  type MethodComparisonOptions,
} from './method-comparison.js';
export {
  type ComparisonPageInput,
  methodComparisonPage,
  studyTable,
} from './method-comparison-page.js';
export type { ModalityCosine } from './modality-cosines.js';
export { alignmentProgram } from './program.js';
export { finishedTraining, type RestoredRun, restoreRun } from './restore.js';
export { readRefused, withoutPairs, writeRefused } from './refused-pairs.js';
export { pairsToReview, type ReviewOptions, type ReviewPair, writeReview } from './review.js';
export { type DecisionContext, readDecisions, type ReviewDecisions } from './review-decisions.js';
export { allRefused, reviewedSeeds } from './reviewed-seeds.js';
export type { FittedConfidence, RunSummary } from './run-summary.js';
export { type SeedBatch, seedBatches, trainEpochs } from './train.js';
export type {
  CallOptions,
  SettingOptions,
  TrainingOutline,
  TrainOptions,
  TrainProgress,
  TrainResult,
} from './training-options.js';
export { type CalibrationOptions, expectedTime, type TimeExpectation } from './time-estimate.js';
export { settingsOf, train } from './training-run.js';
export type { TrainingState } from './training-state.js';
