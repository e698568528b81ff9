export {
  ablationChanges,
  type HeadAblation,
  type PassChanges,
  type ResolvedAblation,
  resolveAblation,
} from './ablation.js';
export { type Config, configSchema, configuredAblation, saharaConfig } from './config.js';
export {
  datasetReference,
  type DatasetScores,
  datasetShips,
  type DatasetShipsOptions,
} from './dataset-ships.js';
export { allHeads, type HeadId, headKey, parseHead, rankHeads, type ScoredHead } from './head.js';
export type { TokenPrompt } from './head-outputs.js';
export { klDivergence } from './kl.js';
export { planScan, type ScanOutline, type ScanPlan } from './plan.js';
export { sahara, type SaharaOptions, type SaharaStep } from './sahara.js';
export { loadScores, meanScores, saveScores, type ScoreFile } from './score-file.js';
export { type ScreenedScores, screenedShips, type ScreenedShipsOptions } from './screened-scan.js';
export { type PromptScores, ships, shipsOfEach, type ShipsOptions } from './ships.js';
export { principalAngles, safetySubspace, type Subspace, subspaceShift } from './subspace.js';
export { type Arm, type ArmOptions, type ArmResult, armResults, runArms } from './arms.js';
export { type AttackSuccess, attackSuccess, judgeAgreement } from './attack-success.js';
export { baselines } from './baselines.js';
export { compareCheckpoints, type ComparedCheckpoints } from './compare-checkpoints.js';
export { courseCorrectionArms } from './course-correction.js';
export { generateResponses, type Response, type ResponseOptions } from './generation.js';
export { guardProbability } from './guard.js';
export { createJudge, type Decision, decide, type Judge, type Judgement } from './judge.js';
export { mixCheckpoints, type MixSelector } from './mix-checkpoints.js';
export { overRefusal, overRefusalHeads, refusalChange } from './over-refusal.js';
export { type ComparedScores, compareScores } from './overlap.js';
export type { ResponseLine } from './response-line.js';
export {
  planSurgery,
  surgery,
  type SurgeryOptions,
  type SurgeryPlan,
  undoSurgery,
} from './surgery.js';
export { accuracyChange, evaluateTask, perplexity, type TaskAccuracy } from './utility.js';
export { readTask, type TaskItem, taskNames } from './utility/tasks.js';
export { categoryHeads } from './category-heads.js';
export { type HeadStability, headStability } from './head-stability.js';
export { type Pairing, withSources } from './prompt-sources.js';
export { scoreConcentration } from './report/concentration.js';
export { type SubsetAgreement, subsetAgreement } from './subset-agreement.js';
export { headPatterns, patternRequests } from './patterns.js';
export { comparisonPage } from './report/comparison-page.js';
export { readRunContents, type RunContents } from './report/run-contents.js';
export { runPage, writeReport } from './report/run-page.js';
export { planResponses, type ResponsePlan } from './response-plan.js';
