import type { CliDefinition } from '@lab/core/cli';
import { cacheCommand } from './commands/cache.js';
import { convertCommand } from './commands/convert.js';
import { generateCommand } from './commands/generate.js';
import { hiddenCommand } from './commands/hidden.js';
import { inspectCommand } from './commands/inspect.js';
import { lensCommand } from './commands/lens.js';
import { serveCommand } from './commands/serve.js';
import { trainCommand } from './commands/train.js';
import { validateCommand } from './commands/validate.js';
import { version } from './version.js';

/** The program `transformer` with all its verbs, as `runCli` takes it. */
export const program: CliDefinition = {
  name: 'transformer',
  summary: 'Run a language model and look at what is inside.',
  version,
  commands: [
    inspectCommand,
    validateCommand,
    generateCommand,
    serveCommand,
    hiddenCommand,
    cacheCommand,
    lensCommand,
    trainCommand,
    convertCommand,
  ],
};
