/** `evaluate`: the scores of a run, by a judge or by rule. */
import type { CliCommand } from '@lab/core/cli';
import { textOf } from '@lab/llm/commands';
import { concludeRun } from './conclude.js';

/** The verb `evaluate`. */
export const evaluateCommand: CliCommand = {
  name: 'evaluate',
  summary: 'Print average score and perfect rate of a run by task, set, kind, domain, language.',
  arguments: [{ name: 'run', summary: 'folder of a run', required: true }],
  options: [
    { flags: '--judge <dir>', summary: 'folder of judgements, where there are several' },
    { flags: '--rule-scores', summary: 'scores by rule: no judge, the same every time' },
    {
      flags: '--missing <how>',
      summary: 'questions without a score',
      choices: ['exclude', 'zero'],
      unit: 'default exclude',
    },
    { flags: '--data <file>', summary: 'the questions, where they are not where they were' },
  ],
  example: 'loong evaluate runs/first --rule-scores',
  run: (context, { arguments: [dir = ''], options }) =>
    concludeRun(context, {
      dir,
      judge: textOf(options, 'judge'),
      data: textOf(options, 'data'),
      ruleScores: options['ruleScores'] === true,
      missing: textOf(options, 'missing') as 'exclude' | 'zero' | undefined,
    }),
};
