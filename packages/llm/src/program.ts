import type { CliDefinition } from '@lab/core/cli';
import { cacheCommand } from './commands/cache.js';
import { exportCommand } from './commands/export.js';
import { exportBatchCommand } from './commands/export-batch.js';
import { doctorCommand } from './commands/doctor.js';
import { fakeServerCommand } from './commands/fake-server.js';
import { importBatchCommand } from './commands/import-batch.js';
import { mergeCommand } from './commands/merge.js';
import { reportCommand } from './commands/report.js';
import { runCommand } from './commands/run.js';
import { workCommand } from './commands/work.js';
import { version } from './version.js';

/** The program `llm` with all its verbs, as `runCli` takes it. */
export const program: CliDefinition = {
  name: 'llm',
  summary: 'Ask a model many things, lose nothing, pay once.',
  version,
  commands: [
    runCommand,
    workCommand,
    mergeCommand,
    cacheCommand,
    exportBatchCommand,
    importBatchCommand,
    exportCommand,
    reportCommand,
    doctorCommand,
    fakeServerCommand,
  ],
};
