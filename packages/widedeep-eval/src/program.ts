import type { CliDefinition } from '@lab/core/cli';
import { annotateCommand } from './commands/annotate.js';
import { checkCommand } from './commands/check.js';
import { configCommand } from './commands/config.js';
import { demoCommand } from './commands/demo.js';
import { evaluateCommand } from './commands/evaluate.js';
import { baselineCommand, judgeCommand, planCommand } from './commands/judge.js';
import { mergeCommand } from './commands/merge.js';
import { rankCommand } from './commands/rank.js';
import { reportCommand } from './commands/report.js';
import { version } from './version.js';

/** The program `widedeep-eval` with all its verbs, as `runCli` takes it. */
export const program: CliDefinition = {
  name: 'widedeep-eval',
  summary: 'Judge pairs of answers with wide and deep networks of language models.',
  version,
  commands: [
    demoCommand,
    checkCommand,
    planCommand,
    judgeCommand,
    baselineCommand,
    mergeCommand,
    evaluateCommand,
    annotateCommand,
    rankCommand,
    reportCommand,
    configCommand,
  ],
};
