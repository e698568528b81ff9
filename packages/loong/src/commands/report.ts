/** `report`: the page of a run. */
import type { CliCommand } from '@lab/core/cli';
import { textOf } from '@lab/llm/commands';
import { evaluateScores } from '../evaluate.js';
import { writeReport } from '../report/run-page.js';
import { judgesFlag, judgesNamed } from './judge-flag.js';
import { evaluateOptionsOf, scoredRun } from './scored-run.js';

/** The verb `report`. */
export const reportCommand: CliCommand = {
  name: 'report',
  summary: 'Write the page of a run, finished or not.',
  arguments: [{ name: 'run', summary: 'folder of a run', required: true }],
  options: [
    judgesFlag,
    { flags: '--rule-scores', summary: 'scores by rule: no judge, the same every time' },
    { flags: '--data <file>', summary: 'the questions, where they are not where they were' },
  ],
  example: 'loong report runs/first --rule-scores',
  run: async (context, { arguments: [dir = ''], options }) => {
    const source = {
      dir,
      judges: judgesNamed(options),
      data: textOf(options, 'data'),
      ruleScores: options['ruleScores'] === true,
    };
    const run = await scoredRun(source);
    const evaluation = evaluateScores(run.scored, evaluateOptionsOf(source));
    const report = writeReport(dir, { ...run, evaluation });
    context.print(`${report}\n`);
    context.printJson({ run: dir, status: 'success', metrics: null, report });
  },
};
