export type { AnswerStore, CacheMode, StoredAnswer } from './answer-cache.js';
export type {
  ChatMessage,
  ChatRequest,
  ChatResult,
  ChatRole,
  Embeddings,
  FinishReason,
  JsonOrigin,
  JsonResult,
  Paid,
  ResponseFormat,
  StructuredLevel,
  TokenCount,
  TokenLogprob,
  TokenUsage,
  UnknownCost,
  Unreported,
} from './chat.js';
export type { Capabilities } from './capabilities.js';
export { createClient, type HttpClient } from './client.js';
export type {
  ClientEvent,
  ClientOptions,
  Prices,
  RateLimits,
  WeightedUrl,
} from './client-options.js';
export { type Clock, systemClock } from './clock.js';
export type { Proxies } from './dispatcher.js';
export { keepCapabilities, type KeptOptions, keptCapabilities } from './kept-capabilities.js';
export type { JsonCallOptions, LlmClient } from './llm-client.js';
export { type FailureDetails, type FailureKind, LlmFailure } from './llm-failure.js';
export { type ProbeFinding, type ProbeOptions, type ProbeReport, probeServer } from './probe.js';
export { type SplitAnswer, splitReasoning } from './reasoning.js';
export { createRedactor, type Redactor } from './redact.js';
export { type HashContext, requestHash } from './request-hash.js';
export type { RetryLimits } from './retry.js';
export type { Timeouts } from './transport.js';
export type { UsageTotal } from './usage-totals.js';
export {
  createHarmJudge,
  type HarmJudgement,
  type HarmVerdict,
  type HarmVote,
} from './judges/harm.js';
export type { JudgedExchange } from './judges/harm.js';
export type { Judgement, JudgeOptions, VotedJudgement } from './judges/judge-votes.js';
export {
  createRefusalJudge,
  type RefusalJudgement,
  type RefusalVerdict,
  type RefusalVote,
} from './judges/refusal.js';
export { findLabel, type FoundLabel } from './labels.js';
export {
  type AskedLabel,
  askForLabel,
  type AskForLabelOptions,
  type LabelDistribution,
  type LabelOptions,
  labelProbabilities,
  labelShares,
  meanScore,
  weightedScore,
} from './logprobs.js';
export {
  createPairJudge,
  judgeBothOrders,
  type PairChoice,
  type PairJudge,
  type PairJudgeOptions,
  type PairVerdict,
  pairVerdict,
  type PositionBias,
  positionBias,
  type WinRates,
  winRates,
} from './pairwise.js';
export {
  type Cost,
  type CostOptions,
  createPriceTable,
  type ModelPrice,
  type PriceTable,
  type PriceTableInput,
  readPrices,
} from './prices.js';
export {
  createReplayClient,
  recordingClient,
  type RecordingOptions,
  type ReplayOptions,
} from './replay.js';
export { type Bm25, type Bm25Options, createBm25, searchTerms } from './retrieval/bm25.js';
export { type Chunk, type ChunkOptions, chunkText } from './retrieval/chunk.js';
export { cosineTopK, reciprocalRankFusion, type VectorTable } from './retrieval/cosine.js';
export {
  type EmbeddingClient,
  type EmbeddingStore,
  openEmbeddingStore,
} from './retrieval/store.js';
export type { Hit } from './retrieval/top-k.js';
export { createScriptedClient, type ScriptedAnswer, type ScriptedOptions } from './scripted.js';
export {
  askForJson,
  type JsonOptions,
  UnparsedAnswer,
  type UnparsedFacts,
} from './structured/ask-for-json.js';
export { type ParsedAnswer, parseAnswer } from './structured/parse-answer.js';
export {
  createStructuredRates,
  type JsonOutcome,
  type StructuredRates,
  type StructuredShares,
} from './structured/rates.js';
export { strictJsonSchema } from './structured/strict-schema.js';
export { createTokenCounter, type TokenCounterOptions } from './token-counter.js';
export { countMessages, countTokens, createTokenFactor, type TokenFactor } from './tokens.js';
export { tracedClient, type Tracer, type TraceSpan, type TraceValue } from './traced-client.js';
export { createTruncationCheck, type TruncationCheck } from './truncation.js';
export {
  type BatchExport,
  batchLine,
  type BatchRequest,
  exportBatch,
  type ExportBatchOptions,
  readBatchMessages,
} from './batch.js';
export {
  type BatchFailure,
  type BatchImport,
  importBatch,
  type ImportBatchOptions,
} from './batch-import.js';
export { csvTable, type CsvTableOptions } from './exports/csv.js';
export {
  type ExportedRow,
  type ExportedRun,
  type ExportedUsage,
  readExportedRun,
  type ReadRunOptions,
} from './exports/exported-run.js';
export { inspectLog, inspectLogName } from './exports/inspect-log.js';
export { junitXml } from './exports/junit.js';
export { promptfooJson, type PromptfooOptions } from './exports/promptfoo.js';
export {
  type AnswerStoreOptions,
  type FileAnswerStore,
  openAnswerStore,
} from './cache/answer-store.js';
export { type EagerStore, withoutWaiting } from './cache/eager-store.js';
export {
  type AnswerListing,
  exportAnswers,
  listAnswers,
  type ModelAnswers,
} from './cache/list-answers.js';
export { createMemoryStore } from './cache/memory-store.js';
export { type PruneOptions, type PruneSummary, pruneAnswers } from './cache/prune.js';
export { openSqliteStore } from './cache/sqlite-store.js';
export {
  type PendingOptions,
  type PendingRequest,
  type PendingStep,
  pendingRequests,
} from './pending-requests.js';
export { type Plan, type PlanOptions, planRows, type Range } from './plan.js';
export { dataBlock, type PromptTemplate, parsePrompt, readPrompt } from './prompt.js';
export type { Budget } from './rows/budget.js';
export { type ErrorLimit, FailedRowsError, parseErrorLimit } from './rows/error-limit.js';
export {
  describedFacts,
  type MethodRunOptions,
  rowSettingsOf,
  type RunFacts,
} from './rows/method-run.js';
export type { CostRecord, EstimatedCost, EstimatedShare, RunCost } from './rows/cost-record.js';
export { type MergeOptions, type MergeSummary, mergeShards } from './rows/merge-shards.js';
export type { CostOf } from './rows/row-calls.js';
export { type FileRow, type ReadRowsOptions, readRows } from './rows/row-file.js';
export {
  isSampleFailure,
  type Prediction,
  type RowFailure,
  type RowStatus,
  type RowTiming,
  type RunRow,
} from './rows/row-record.js';
export type { RunDescription } from './rows/run-files.js';
export {
  type RowContext,
  type RowsProgress,
  type RowsResult,
  type RunRowsOptions,
  runRows,
} from './rows/run-rows.js';
export type { RowCounts, RunUsage } from './rows/run-totals.js';
export { parseShard, type Shard, shardOf } from './rows/shard.js';
