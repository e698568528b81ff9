export {
  type RankingMetrics,
  type RankingOptions,
  rankingMetrics,
} from './ranking.js';
export {
  type BootstrapInterval,
  type BootstrapOptions,
  bootstrap,
  type Interval,
  type MeanDeviation,
  mean,
  meanDeviation,
  type PairedInterval,
  pairedBootstrap,
  quantile,
  type Statistic,
  tInterval,
  wilson,
} from './interval.js';
export {
  type DifferenceTest,
  falseDiscoveryRate,
  type McNemarResult,
  mcNemar,
  type PermutationOptions,
  permutationTest,
  type WelchResult,
  welchTest,
} from './significance.js';
export {
  auroc,
  type BinaryLabels,
  brier,
  expectedCalibrationError,
  type ReliabilityBin,
} from './calibration.js';
export {
  applyCalibration,
  type CalibrationParameters,
  type Calibrator,
  fitIsotonic,
  fitPlatt,
} from './calibrator.js';
export {
  accuracy,
  type ClassScores,
  confusionMatrix,
  type Label,
  type PrecisionRecallF1,
  precisionRecallF1,
} from './classification.js';
export {
  cohenKappa,
  fleissKappa,
  kendall,
  meanRanks,
  pearson,
  spearman,
} from './agreement.js';
export { hungarian } from './assignment.js';
export { fitLogistic, type LogisticModel, type LogisticOptions } from './learn/logistic.js';
