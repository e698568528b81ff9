import type { CliDefinition } from '@lab/core/cli';
import { alignCommand } from './commands/align.js';
import { checkCommand } from './commands/check.js';
import { configCommand } from './commands/config.js';
import { demoCommand } from './commands/demo.js';
import { evaluateCommand } from './commands/evaluate.js';
import { explainCommand } from './commands/explain.js';
import { experimentCommand } from './commands/experiment.js';
import { reportCommand } from './commands/report.js';
import { reviewCommand } from './commands/review.js';
import { trainCommand } from './commands/train.js';
import type { AlignmentConfig } from './config-fields.js';
import type { Learner } from './learner.js';
import type { AlignmentMethod } from './method.js';

/** The program of a method with all its verbs, as `runCli` takes it. */
export function alignmentProgram<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
): CliDefinition {
  const any: AlignmentMethod = method;
  return {
    name: method.name,
    summary: `Align the entities of two multi-modal knowledge graphs (${method.title}).`,
    version: method.version,
    commands: [
      trainCommand(any),
      evaluateCommand(any),
      alignCommand(any),
      explainCommand(any),
      reviewCommand(any),
      checkCommand(any),
      configCommand(any),
      experimentCommand(any),
      reportCommand(any),
      demoCommand(any),
    ],
  };
}
