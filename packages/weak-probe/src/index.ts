export { type Config, configSchema, weakProbeConfig } from './config.js';
export {
  type ClassCounts,
  formatPrompts,
  type FormattedPrompt,
  type FormattedPrompts,
  type FormatOptions,
  type LabelledPrompt,
  type PromptSet,
  type PromptSetOptions,
  type PromptSource,
  readPromptSet,
} from './prompt-set.js';
export { type EncodedPrompt, type PromptStates, promptStates } from './hidden-states.js';
export { type CollectOptions, type CollectProgress, collectStates } from './collect.js';
export { type CollectionPlan, planCollection } from './plan.js';
export { type Collection, openCollection } from './collection.js';
export {
  openStateStore,
  type StatePositions,
  type StateRow,
  type StateSite,
  type StateStore,
  type StateStoreAbout,
} from './state-store.js';
export { lastTokenStates, pickedRows, type StateRows } from './state-rows.js';
export { type LensOptions, lensStates, type StateLens } from './lens.js';
export { identityText, type PatchscopeOptions, patchscopeStates } from './patchscope.js';
export { readTunedLens, translatedRows, writeTunedLens } from './tuned-lens-file.js';
export { trainTunedLens, type TunedLens } from './tuned-lens.js';
export { listsForTokenizer, type TokenKinds, tokenKinds } from './token-kinds.js';
export { publishedTokenLists, readTokenLists, type TokenLists } from './token-lists.js';
export { tokenTable } from './token-table.js';
export { consistencyVsAsr, middleStates, topKConsistency } from './consistency.js';
export { bestFirstTokens, measuredOpenings, namedOpenings } from './first-tokens.js';
export { type Graft, graftInterventions } from './grafting.js';
export { graftCurve, graftSweep } from './graft-sweep.js';
export { graftedResponses } from './graft-responses.js';
export { graftedStates } from './grafted-states.js';
export { doseResponse, type Steering, steeringInterventions } from './steering.js';
export { causalCheck } from './causal.js';
export { makeSplits, officialSplit, type Split } from './split.js';
export { fitProbe, type Probe, type ProbeKind, trainingRows } from './probes.js';
export { shareSamples } from './probe-input.js';
export { explainStates, type StateProbe, type StateReport } from './explain.js';
export { probeCollection, type ProbeResult } from './probe-result.js';
export { textBaselines } from './controls.js';
export { emergence } from './emergence.js';
export { learningCurve } from './learning-curve.js';
export { type HeadProbes, headProbes } from './head-probes.js';
export { type AttentionProbe, fitAttentionProbe, type TokenSamples } from './attention-probe.js';
export { comparePositions, type PositionResult } from './positions.js';
export { type Dissociation, dissociation } from './dissociation.js';
export { publishedCurves, publishedModels } from './published.js';
export { transferProbes, type TransferPoint } from './transfer.js';
export { makeMonitor, type MakeMonitorOptions } from './make-monitor.js';
export { createMonitor, type Monitor, type MonitorBundle } from './monitor.js';
export { watchGeneration, type WatchedToken, type WatchOptions } from './watch.js';
