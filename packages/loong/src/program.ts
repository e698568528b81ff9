import type { CliDefinition } from '@lab/core/cli';
import { annotateCommand } from './commands/annotate.js';
import { assembleCommand } from './commands/assemble.js';
import { buildCommand } from './commands/build.js';
import { checkCommand } from './commands/check.js';
import { compareCommand } from './commands/compare.js';
import { configCommand } from './commands/config.js';
import { demoCommand } from './commands/demo.js';
import { evaluateCommand } from './commands/evaluate.js';
import { judgeCommand } from './commands/judge.js';
import { mergeCommand } from './commands/merge.js';
import { recallCommand } from './commands/recall.js';
import { reportCommand } from './commands/report.js';
import { planCommand, runCommand } from './commands/run.js';
import { version } from './version.js';

/** The program `loong` with all its verbs, as `runCli` takes it. */
export const program: CliDefinition = {
  name: 'loong',
  summary: 'Benchmark long contexts over many documents, and make such a benchmark of your own.',
  version,
  commands: [
    demoCommand,
    checkCommand,
    buildCommand,
    assembleCommand,
    planCommand,
    runCommand,
    mergeCommand,
    judgeCommand,
    evaluateCommand,
    annotateCommand,
    compareCommand,
    recallCommand,
    reportCommand,
    configCommand,
  ],
};
