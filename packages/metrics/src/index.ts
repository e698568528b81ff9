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
export {
  type Curve,
  type Density,
  empiricalDistribution,
  kernelDensity,
  type KernelDensityOptions,
} from './density.js';
export {
  hypergeometricTail,
  rankBiasedOverlap,
  topIndices,
  type TopOverlap,
  topOverlap,
  type Urn,
} from './overlap.js';
export {
  createRuleJudge,
  isRepetitive,
  needsPhrases,
  type ResponseKind,
  type RuleJudge,
  type RuleJudgeName,
  ruleJudgeNames,
  type RuleVerdict,
} from './refusal.js';
export { type OperatingPoint, operatingPoint } from './roc.js';
export {
  type BagOfWords,
  type BagOfWordsOptions,
  fitBagOfWords,
  sparseProducts,
  type SparseRows,
  wordsOf,
} from './learn/bag-of-words.js';
export { type DualClassifier, fitMassMean, fitNearestCentroid } from './learn/centroids.js';
export {
  type DualLinear,
  dualScores,
  predictClasses,
  primalWeights,
} from './learn/dual-linear.js';
export { type FeatureMatrix, selectRows } from './learn/feature-matrix.js';
export { crossProducts, gramMatrix, rbfKernel, subMatrix } from './learn/gram.js';
export { fitLda, type LdaModel, type LdaOptions } from './learn/lda.js';
export { type DualLogistic, fitLogisticOnGram } from './learn/logistic-dual.js';
export { type Adam, adamStep, type AdamStep, createAdam } from './learn/mlp-adam.js';
export {
  type MlpEpoch,
  mlpEpochs,
  fitMlp,
  type MlpModel,
  type MlpOptions,
  mlpScores,
} from './learn/mlp.js';
export { logitProbabilities, type MlpParameters } from './learn/mlp-network.js';
export { fitNaiveBayes, type NaiveBayesModel, naiveBayesScores } from './learn/naive-bayes.js';
export { fitPrincipalCentroid, type PrincipalAxes, principalAxes } from './learn/principal-axes.js';
export { fitScaler, type Scaler, scaleRows } from './learn/scaler.js';
export { fisherRatio, silhouette } from './learn/separation.js';
export {
  fitSvm,
  fitSvmOnGram,
  type SvmClassifier,
  type SvmModel,
  type SvmOptions,
  type SvmPair,
  svmPredict,
  type SvmRowsOptions,
} from './learn/svm.js';
