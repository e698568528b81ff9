export {
  appendLine,
  type FileContent,
  writeFileAtomic,
  writeStreamAtomic,
} from './atomic-file.js';
export { readBytes } from './byte-stream.js';
export { checkOptions } from './call-options.js';
export {
  type ConfigDefinition,
  type ConfigInput,
  type DeepPartial,
  type ExplainedValue,
  explainConfig,
  type Preset,
  type ResolvedConfig,
  resolveConfig,
} from './config.js';
export { configJsonSchema, configTable } from './config-docs.js';
export {
  collectDefects,
  type DefectCollection,
  type OnDefect,
  reportDefect,
  throwDefect,
} from './defects.js';
export { describeEnvironment, type Environment } from './environment.js';
export {
  BackendError,
  BudgetError,
  ConfigError,
  DataError,
  type DataErrorOptions,
  exitCodeOf,
  exitCodes,
  InterruptedError,
  LabError,
  type LabErrorOptions,
  LlmError,
  ModelError,
  ShapeError,
  type ShapeErrorOptions,
} from './errors.js';
export {
  type ExperimentCell,
  type ExperimentOptions,
  type ExperimentProgress,
  type ExperimentRow,
  type ExperimentTable,
  runExperiment,
} from './experiment.js';
export {
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatNumber,
  formatPercent,
  formatShare,
} from './format.js';
export { findGitState, type GitState } from './git-state.js';
export { canonicalJson, type FileRecord, hashFile, sha256 } from './hash.js';
export { appendJsonLine, type JsonLines, readJsonLines } from './jsonl.js';
export { type Logger, silentLogger } from './logger.js';
export { editDistance, nearest } from './nearest.js';
export { createMersenneTwister, type MersenneTwister } from './mersenne-twister.js';
export { hasFields, objectWith, type OptionFields, optionFields } from './option-fields.js';
export { createProgress, type Progress, type ProgressOptions } from './progress.js';
export { createRandom, type Random, type Shufflable } from './random.js';
export { assertWritableFolder, makeFolder } from './folder.js';
export { retryAfterMs } from './retry-after.js';
export {
  type CreateRunOptions,
  createRun,
  openRun,
  type Run,
  type RunEnd,
  resumeRun,
} from './run.js';
export { readRunRecord } from './run-record.js';
export { type RunRecord, type RunStatus, runRecordSchema, runSchemaVersion } from './run-schema.js';
export { type EachLineOptions, eachLine, findFile, type Place, parseInteger } from './text-file.js';
