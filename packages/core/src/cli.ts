/** The command line of every package (subpath `@lab/core/cli`). */
export {
  configOptions,
  explainTable,
  readConfigFile,
  readConfigInput,
} from './cli/config-options.js';
export type {
  CliArgument,
  CliCommand,
  CliContext,
  CliDefinition,
  CliInput,
  CliIo,
  CliOption,
  CliOptionKind,
  CliStream,
} from './cli/definition.js';
export { defectList, defectsError } from './cli/error-text.js';
export { type FurtherFacts, printEnvironment } from './cli/print-environment.js';
export { runCli } from './cli/run-cli.js';
export { type TableColumn, table } from './cli/text-table.js';
