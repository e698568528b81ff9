/** `annotate`: some judged answers for people to grade, as a table and as a page. */
import { ConfigError, formatCounted } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { countOf, numberOf, textOf } from '@lab/llm/commands';
import { answersToGrade, writeAnnotationPage, writeAnnotations } from '../annotations.js';
import { judgesFlag, judgesNamed } from './judge-flag.js';
import { scoredRun } from './scored-run.js';

/** The verb `annotate`. */
export const annotateCommand: CliCommand = {
  name: 'annotate',
  summary: 'Write judged answers for people to grade, to see how far the judge agrees with them.',
  arguments: [{ name: 'run', summary: 'folder of a judged run', required: true }],
  options: [
    { flags: '--count <n>', summary: 'answers', kind: 'integer', default: 50 },
    { flags: '--out <file>', summary: 'CSV for a spreadsheet', default: 'annotations.csv' },
    { flags: '--page <file>', summary: 'the same as a page: grade by mouse or keys' },
    judgesFlag,
    { flags: '--seed <n>', summary: 'of the draw', kind: 'integer', unit: 'default 1' },
    { flags: '--data <file>', summary: 'the questions, where they are not where they were' },
  ],
  example: 'loong annotate runs/first --page annotate.html',
  run: (context, input) => run(context, input),
};

async function run(
  context: CliContext,
  { arguments: [dir = ''], options }: CliInput,
): Promise<void> {
  const source = { dir, judges: judgesNamed(options), data: textOf(options, 'data') };
  const { scored } = await scoredRun({ ...source, ruleScores: false });
  const judges = source.judges.map((judge) => ` --judge ${judge}`).join('');
  const count = countOf(options, 'count', '--count') ?? 50;
  const chosen = answersToGrade(scored, { count, seed: numberOf(options, 'seed') ?? 1 });
  if (chosen.length === 0) {
    throw new ConfigError(`${dir} has no answer with a score.`, {
      help: `"loong judge ${dir} --model JUDGE" has its answers judged.`,
    });
  }
  const out = String(options['out']);
  await writeAnnotations(out, chosen);
  context.print(`${formatCounted(chosen.length, 'answer')} to grade: ${out}\n`);
  const page = textOf(options, 'page');
  const fileName = 'annotations.csv';
  if (page !== undefined) {
    const command = `loong evaluate ${dir}${judges} --annotations ${fileName}`;
    writeAnnotationPage(page, chosen, { command, fileName });
    context.print(`page    ${page}\n`);
  }
  context.print(`next    loong evaluate ${dir}${judges} --annotations ${out}\n`);
  const files = { file: out, page: page ?? null };
  context.printJson({
    run: dir,
    status: 'success',
    metrics: null,
    ...files,
    answers: chosen.length,
  });
}
