import type { CliDefinition } from '@lab/core/cli';
import { alignCommand } from './commands/align.js';
import { checkCommand } from './commands/check.js';
import { configCommand } from './commands/config.js';
import { demoCommand } from './commands/demo.js';
import { evaluateCommand } from './commands/evaluate.js';
import { experimentCommand } from './commands/experiment.js';
import { reportCommand } from './commands/report.js';
import { trainCommand } from './commands/train.js';
import { version } from './version.js';

/** The program `ibmea` with all its verbs, as `runCli` takes it. */
export const program: CliDefinition = {
  name: 'ibmea',
  summary: 'Align the entities of two multi-modal knowledge graphs (IBMEA).',
  version,
  commands: [
    trainCommand,
    evaluateCommand,
    alignCommand,
    checkCommand,
    configCommand,
    experimentCommand,
    reportCommand,
    demoCommand,
  ],
};
