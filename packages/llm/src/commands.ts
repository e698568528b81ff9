/** What commands that ask models share: flags, settings, sessions (subpath `@lab/llm/commands`). */
export {
  budgetFlags,
  callFlags,
  modelFlags,
  outputFlags,
  rowFlags,
  runFlags,
  waitingFlags,
} from './commands/command-flags.js';
export {
  passedCommand,
  passedFlags,
  processFlags,
  withEarlierFlags,
} from './commands/earlier-flags.js';
export {
  type DifferingSetting,
  differingSettings,
  folderNames,
} from './commands/compared-runs.js';
export { costLines, costRemarks } from './cost-lines.js';
export { firstShard, mergeExitCode } from './commands/first-shard.js';
export { countOf, type FlagValues, numberOf, textOf, underTopic } from './commands/flag-values.js';
export { type ModelSession, openSession, type SessionOptions } from './commands/model-session.js';
export {
  clientOptionsOf,
  type Environment,
  type ModelSettings,
  type ModelSettingsOptions,
  missingFlag,
  readModelSettings,
} from './commands/model-settings.js';
export { batchFlags, type PendingWork, writePendingBatch } from './commands/pending-batch.js';
export { damagedText } from './commands/run-report.js';
export { readRunSettings, type RunSettings } from './commands/run-settings.js';
export { WindowGuard, type WindowGuardOptions } from './commands/window-guard.js';
