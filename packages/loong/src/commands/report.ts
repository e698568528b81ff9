/** `report`: the page of a run. */
import type { CliCommand } from '@lab/core/cli';
import { textOf } from '@lab/llm/commands';
import { evaluateScores } from '../evaluate.js';
import { writeReport } from '../report/run-page.js';
import { evaluateOptionsOf, judgeOf, scoredRun } from './conclude.js';

/** The verb `report`. */
export const reportCommand: CliCommand = {
  name: 'report',
  summary: 'Write the page of a run, finished or not.',
  arguments: [{ name: 'run', summary: 'folder of a run', required: true }],
  options: [
    { flags: '--judge <dir>', summary: 'folder of judgements, where there are several' },
    { flags: '--rule-scores', summary: 'scores by rule: no judge, the same every time' },
    { flags: '--data <file>', summary: 'the questions, where they are not where they were' },
  ],
  example: 'loong report runs/first --rule-scores',
  run: async (context, { arguments: [dir = ''], options }) => {
    const source = {
      dir,
      judge: textOf(options, 'judge'),
      data: textOf(options, 'data'),
      ruleScores: options['ruleScores'] === true,
    };
    const scored = await scoredRun(source);
    const evaluation = evaluateScores(scored, evaluateOptionsOf(source));
    const report = writeReport(dir, { scored, evaluation, judge: judgeOf(source) });
    context.print(`${report}\n`);
    context.printJson({ run: dir, status: 'success', metrics: null, report });
  },
};
