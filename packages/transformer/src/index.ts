export type {
  Activation,
  Architecture,
  BlockModule,
  BlockRules,
  ModuleNames,
  NormRules,
  PositionRules,
  RotaryRules,
  RotaryScaling,
} from './architecture.js';
export {
  accumulatedLogits,
  type AttributionInput,
  type LogitAttribution,
  logitAttribution,
} from './attribution.js';
export type { ChatMessage, ChatOptions, ChatTemplates } from './chat-template.js';
export { fastChatFormats, fastChatText } from './fastchat-formats.js';
export { hiddenStates, type HiddenStatesOptions, type LayerStates } from './hidden-states.js';
export { type HookPlace, hookNames } from './hook-names.js';
export type { Hook, HookFunction, HookNames, HookPoint } from './hooks.js';
export { readInterventions } from './intervention-file.js';
export {
  type Intervention,
  type InterventionKind,
  interventionsSchema,
} from './interventions.js';
export type { Captured } from './captures.js';
export { type LensInput, type LensLayer, logitLens } from './lens.js';
export { loadModel } from './load-model.js';
export {
  type ForwardInput,
  type ForwardResult,
  type Model,
} from './model.js';
export { loadT5 } from './t5/load-t5.js';
export {
  type T5Input,
  type T5Model,
  type T5Result,
} from './t5/t5-model.js';
export type { T5Architecture } from './t5/t5-config.js';
export { type T5HookPlace, t5HookNames } from './t5/t5-hook-names.js';
export {
  type BatchShape,
  estimateRun,
  operationsOf,
  type RunEstimate,
  type RunOutline,
} from './run-estimate.js';
export { modelTypes, readModelConfig } from './model-config.js';
export {
  type ComponentInput,
  type ResidualComponent,
  type ResidualComponents,
  residualComponents,
} from './residual-components.js';
export type { IdRows, TokenInput } from './token-batch.js';
export {
  type BatchOptions,
  type EncodedBatch,
  type EncodeOptions,
  loadTokenizer,
  type Tokenizer,
} from './tokenizer.js';
export { type ModelCheck, validateModel } from './validate-model.js';
export type { LoadModelOptions, Residency } from './weights/residency.js';
export {
  type RandomCheckpointOptions,
  writeRandomCheckpoint,
} from './weights/random-checkpoint.js';
