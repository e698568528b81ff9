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
export { type CheckpointFingerprint, checkpointFingerprint } from './checkpoint-fingerprint.js';
export { exampleModel, type ExampleModelName, exampleModelNames } from './example-models.js';
export { fastChatFormats, fastChatText } from './fastchat-formats.js';
export { keptPrompts } from './prompt-duplicates.js';
export {
  type ContinuationOptions,
  createGenerationEngine,
  type FinishReason,
  type GenerationEngine,
  type GenerationEngineOptions,
  type GenerationEvent,
  type GenerationLoad,
  type GenerationRequest,
  type GenerationResult,
  type GenerationStream,
  type GenerationUsage,
  type SamplingOptions,
  type StopOptions,
  type TokenLogprob,
} from './generation/engine.js';
export { generate, type GenerateOptions, type Prompts } from './generation/generate.js';
export type { BeamOptions, WholeBeam } from './generation/beam-search.js';
export {
  generateT5,
  type T5GenerateOptions,
  type T5GenerationResult,
} from './generation/generate-t5.js';
export {
  type WriteGgufOptions,
  type WriteProgress,
  type WrittenGguf,
  writeGguf,
} from './gguf/gguf-export.js';
export {
  type WriteCheckpointOptions,
  type WrittenCheckpoint,
  writeCheckpoint,
} from './gguf/gguf-import.js';
export type { GgufType } from './gguf/tensors-of-model.js';
export {
  type HttpCheckpointOptions,
  openHttpCheckpoint,
} from './http/open-http-checkpoint.js';
export { hiddenStates, type HiddenStatesOptions, type LayerStates } from './hidden-states.js';
export { type HookGradientInput, hookGradients, type KnownPass } from './hook-gradients.js';
export { type HookPlace, hookNames } from './hook-names.js';
export type { Hook, HookFunction, HookNames, HookPoint } from './hooks.js';
export { readInterventions } from './intervention-file.js';
export {
  type ChangeNumbers,
  type Intervention,
  interventionHook,
  type InterventionKind,
  interventionsSchema,
} from './interventions.js';
export type { Captured } from './captures.js';
export { type Checkpoint, openCheckpoint, type StoredWeight } from './weights/checkpoint.js';
export { checkpointFolder } from './weights/checkpoint-folder.js';
export {
  type ChangedWeight,
  editCheckpoint,
  type EditCheckpointOptions,
  type EditedCheckpoint,
} from './weights/edit-checkpoint.js';
export {
  type HeadPart,
  type HeadSite,
  type HeadSlice,
  type HeadSlices,
  headSlices,
  scaleSlices,
  slicesByWeight,
} from './weights/head-slices.js';
export { type PlacedWeight, placedWeights, type WeightPart } from './weights/weight-groups.js';
export {
  type LengthBatch,
  lengthBatches,
  type LengthBatchRules,
  lengthGroups,
  passRules,
} from './length-batches.js';
export { type LensInput, type LensLayer, logitLens } from './lens.js';
export { loadModel } from './load-model.js';
export {
  type ForwardInput,
  type ForwardResult,
  type Model,
} from './model.js';
export {
  promptCounts,
  type PromptData,
  type PromptDataOptions,
  type PromptRecord,
  promptsHash,
  readPromptData,
} from './prompt-data.js';
export {
  assertPromptFormat,
  type EncodedPrompt,
  encodePrompt,
  type PromptFormatOptions,
  promptFormats,
} from './prompt-format.js';
export {
  type PromptSpanOptions,
  type PromptSpans,
  promptSpans,
  type TokenSpan,
} from './prompt-spans.js';
export type { Pooling } from './server/embed-texts.js';
export {
  type AnswerOptions,
  type ModelServer,
  serveModel,
  type ServeModelOptions,
} from './server/serve-model.js';
export { loadT5 } from './t5/load-t5.js';
export { type T5AttributionInput, t5LogitAttribution } from './t5/t5-attribution.js';
export { type T5LensInput, t5LogitLens } from './t5/t5-lens.js';
export {
  type T5Input,
  type T5Model,
  type T5Result,
} from './t5/t5-model.js';
export type { T5Architecture } from './t5/t5-config.js';
export { type T5HookPlace, t5HookNames } from './t5/t5-hook-names.js';
export { validateT5 } from './t5/validate-t5.js';
export { estimateRun, type RunEstimate } from './run-estimate.js';
export { type BatchShape, operationsOf, type RunOutline } from './run-outline.js';
export type { FamilyModel } from './families/family.js';
export { modelTypes, readModelConfig } from './model-config.js';
export { outputGradient, type OutputGradientInput } from './output-gradient.js';
export { type OutputPart, outputParts } from './output-parts.js';
export {
  type ComponentInput,
  type ResidualComponent,
  type ResidualComponents,
  residualComponents,
} from './residual-components.js';
export {
  accumulatedResidual,
  directLogits,
  type LogitDirections,
  logitDirections,
  normedComponents,
  stackedHeads,
} from './residual-stacks.js';
export type { IdRows, TokenInput } from './token-batch.js';
export type { NewModel } from './training/model-source.js';
export { type TrainedModel, trainModel, trainT5 } from './training/train-model.js';
export type { ExampleInput } from './training/training-data.js';
export type {
  StepRecord,
  TrainingOutline,
  TrainingProgress,
  TrainingRunTarget,
  TrainingSettings,
  TrainingStep,
  TrainModelOptions,
} from './training/training-events.js';
export type { TrainingExample } from './training/training-examples.js';
export type { Evaluation } from './training/training-step.js';
export {
  type BatchOptions,
  type EncodedBatch,
  type EncodedText,
  type EncodeOptions,
  loadTokenizer,
  type Tokenizer,
} from './tokenizer.js';
export type { TextRange } from './token-offsets.js';
export type { ModelCheck } from './model-check.js';
export { validateModel, type ValidateOptions } from './validate-model.js';
export type { LoadModelOptions, Residency } from './weights/residency.js';
export {
  type RandomCheckpointOptions,
  writeRandomCheckpoint,
} from './weights/random-checkpoint.js';
