/**
 * Every figure of the method, drawn from stored results alone (subpath `@lab/sahara/figures`).
 */
export {
  attentionPatterns,
  type NamedPattern,
  type PatternFigureOptions,
} from './figures/pattern-figures.js';
export {
  headOverlap,
  rankingAgreement,
  scoreScatter,
  scoreSweep,
  searchGain,
  type SearchStep,
  searchSteps,
  type SweptScores,
} from './figures/score-comparison-figures.js';
export {
  type NamedScores,
  scoreByLayer,
  scoreDensity,
  scoreDistribution,
  type ScoredHeads,
  scoreMap,
  type ScoreMapOptions,
  scoreTail,
} from './figures/score-figures.js';
export {
  type JudgeConfusion,
  judgeConfusion,
  type NamedShare,
  type RandomControl,
  randomControl,
  responseKinds,
  type ResponseSplit,
  type ShareBarsOptions,
  type ShareGroup,
  successBars,
  successByCategory,
  successByHeadCount,
  type SuccessCurve,
  successMap,
} from './figures/success-figures.js';
export type { ShareEstimate } from './attack-success.js';
export { agreementBySize, scoreByCategory, scoreIntervals } from './figures/stability-figures.js';
export {
  overRefusalBars,
  probesAgainstScores,
  type ReadableHead,
  utilityBars,
} from './figures/utility-figures.js';
