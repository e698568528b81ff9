import type { CliDefinition } from '@lab/core/cli';
import { checkCommand } from './commands/check.js';
import { collectCommand } from './commands/collect.js';
import { configCommand } from './commands/config.js';
import { correlateCommand } from './commands/correlate.js';
import { demoCommand } from './commands/demo.js';
import { graftCommand } from './commands/graft.js';
import { lensCommand } from './commands/lens.js';
import { monitorCommand } from './commands/monitor.js';
import { planCommand } from './commands/plan.js';
import { positionsCommand } from './commands/positions.js';
import { probeCommand } from './commands/probe.js';
import { reportCommand } from './commands/report.js';
import { steerCommand } from './commands/steer.js';
import { watchCommand } from './commands/watch.js';
import { version } from './version.js';

/** The program `weak-probe` with all its verbs, as `runCli` takes it. */
export const program: CliDefinition = {
  name: 'weak-probe',
  summary: 'Read at which layer a language model recognises harm, and what it makes of it.',
  version,
  commands: [
    demoCommand,
    checkCommand,
    planCommand,
    collectCommand,
    probeCommand,
    positionsCommand,
    lensCommand,
    graftCommand,
    steerCommand,
    correlateCommand,
    monitorCommand,
    watchCommand,
    reportCommand,
    configCommand,
  ],
};
