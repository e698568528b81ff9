/** `evaluate`: the scores of a run, by a judge or by rule, and the judge beside people. */
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { textOf } from '@lab/llm/commands';
import { readAnnotations } from '../annotations.js';
import { judgeAgreement } from '../judge-agreement.js';
import { concludeRun } from './conclude.js';
import { judgesFlag, judgesNamed } from './judge-flag.js';
import { evaluateOptionsOf, type ScoreSource, scoredRun } from './scored-run.js';
import { agreementText } from './texts.js';

/** The verb `evaluate`. */
export const evaluateCommand: CliCommand = {
  name: 'evaluate',
  summary: 'Print average score and perfect rate of a run by task, set, kind, domain, language.',
  arguments: [{ name: 'run', summary: 'folder of a run', required: true }],
  options: [
    judgesFlag,
    { flags: '--rule-scores', summary: 'scores by rule: no judge, the same every time' },
    { flags: '--annotations <file>', summary: 'grades of people, as "annotate" asked for them' },
    {
      flags: '--missing <how>',
      summary: 'questions without a score',
      choices: ['exclude', 'zero'],
      unit: 'default exclude',
    },
    { flags: '--data <file>', summary: 'the questions, where they are not where they were' },
  ],
  example: 'loong evaluate runs/first --rule-scores',
  run: (context, input) => run(context, input),
};

async function run(
  context: CliContext,
  { arguments: [dir = ''], options }: CliInput,
): Promise<number> {
  const source: ScoreSource = {
    dir,
    judges: judgesNamed(options),
    data: textOf(options, 'data'),
    ruleScores: options['ruleScores'] === true,
    missing: textOf(options, 'missing') as 'exclude' | 'zero' | undefined,
  };
  const annotations = textOf(options, 'annotations');
  if (annotations === undefined) return concludeRun(context, source);
  const people = await readAnnotations(annotations);
  const { scored } = await scoredRun(source);
  const agreement = judgeAgreement(scored, people, evaluateOptionsOf(source));
  context.print(agreementText(agreement));
  context.printJson({ run: dir, status: 'success', metrics: null, agreement });
  return 0;
}
