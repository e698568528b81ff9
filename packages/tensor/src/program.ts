import type { CliDefinition } from '@lab/core/cli';
import { benchCommand } from './commands/bench.js';
import { doctorCommand } from './commands/doctor.js';
import { removeCommand, setupCommand } from './commands/setup.js';
import { version } from './version.js';

/** The program `lab-tensor` with all its verbs, as `runCli` takes it. */
export const program: CliDefinition = {
  name: 'lab-tensor',
  summary: 'Say what computes on this machine, and how fast.',
  version,
  commands: [doctorCommand, benchCommand, setupCommand, removeCommand],
};
