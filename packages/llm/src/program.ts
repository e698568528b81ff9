import type { CliDefinition } from '@lab/core/cli';
import { version } from './version.js';

/** The program `llm` with all its verbs, as `runCli` takes it. */
export const program: CliDefinition = {
  name: 'llm',
  summary: 'Ask a model many things, lose nothing, pay once.',
  version,
  commands: [],
};
