import type { CliDefinition } from '@lab/core/cli';
import { ablateCommand } from './commands/ablate.js';
import { baselineCommand } from './commands/baseline.js';
import { compareCommand } from './commands/compare.js';
import { configCommand } from './commands/config.js';
import { demoCommand } from './commands/demo.js';
import { experimentCommand } from './commands/experiment.js';
import { judgeCommand } from './commands/judge.js';
import { patternCommand } from './commands/pattern.js';
import { planCommand } from './commands/plan.js';
import { reportCommand } from './commands/report.js';
import { saharaCommand } from './commands/sahara.js';
import { shipsCommand } from './commands/ships.js';
import { surgeryCommand } from './commands/surgery.js';
import { utilityCommand } from './commands/utility.js';
import { version } from './version.js';

/** The program `sahara` with all its verbs, as `runCli` takes it. */
export const program: CliDefinition = {
  name: 'sahara',
  summary: 'Find which attention heads carry the refusals of a language model (Ships, Sahara).',
  version,
  commands: [
    demoCommand,
    planCommand,
    shipsCommand,
    saharaCommand,
    ablateCommand,
    judgeCommand,
    compareCommand,
    utilityCommand,
    baselineCommand,
    surgeryCommand,
    patternCommand,
    reportCommand,
    experimentCommand,
    configCommand,
  ],
};
