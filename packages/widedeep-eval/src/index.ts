export { aggregate, type AggregateOptions, type Aggregation, conflictRateOf } from './aggregate.js';
export { type Annotation, readAnnotations, withAnnotations } from './annotations.js';
export { type AssistStatistics, assistStatistics } from './annotation-statistics.js';
export { type Calibration, calibrateTau, scoredSamples, splitForCalibration } from './calibrate.js';
export { type WidedeepConfig, widedeepConfig } from './config.js';
export { type EvaluateOptions, type Evaluation, evaluateJudgements } from './evaluate.js';
export { builtInFamilies } from './families/built-in.js';
export { createFamily, type Family, type FamilyTexts } from './families/family.js';
export { type Families, loadFamilies } from './families/load-families.js';
export { dataFloors, type Floor } from './floors.js';
export { failedGates, type Gate, parseGates } from './gate.js';
export { byUncertainty, leastCertain, outcomeEntropy } from './human-assist.js';
export type { JudgedSample } from './judged-sample.js';
export type {
  Judgement,
  Layer,
  MeanScores,
  Neuron,
  Order,
  Review,
  Role,
  SampleFlag,
} from './judgement.js';
export type { RunFacts } from '@lab/llm';
export { judgePairs, type JudgePairsOptions } from './judge-pairs.js';
export { judgeSample, type JudgeSampleOptions } from './judge-sample.js';
export { krippendorffAlpha } from './jury-agreement.js';
export {
  type LengthControlledRanking,
  type LengthControlledSystem,
  rankAtEqualLength,
} from './length-control.js';
export { type NetworkPlan, planNetwork, type PlanNetworkOptions } from './plan-network.js';
export { swapLabels } from './position.js';
export { baselines, presets } from './presets.js';
export { type Comparison, type RankedSystem, rankSystems } from './ranking.js';
export { eachPrediction, readJudgedSamples } from './read-run.js';
export { readFaireval } from './readers/faireval.js';
export { readLlmbar } from './readers/llmbar.js';
export { readLlmeval2 } from './readers/llmeval2.js';
export { type OwnPairsOptions, readOwnPairs } from './readers/own-pairs.js';
export { readPandalm, readPandalmVerdicts } from './readers/pandalm.js';
export { type DataFormat, readSamples, type SampleSource } from './readers/read-samples.js';
export { writeReport, writeSamplePage } from './report/write-report.js';
export { parseRoles } from './roles.js';
export { type Sample, sampleId } from './sample.js';
export { type AnswerForm, type ParsedScores, parseScores } from './scores.js';
export { createSimulatedClient, type Simulation, simulatedSamples } from './simulate.js';
export { compareJudges, type VerdictMetrics, verdictMetrics } from './verdict-metrics.js';
export { type Verdict, verdictOf } from './verdict.js';
