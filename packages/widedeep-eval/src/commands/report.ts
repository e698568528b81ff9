/** `report`: the page of a run, or of the judgement of one pair. */
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { textOf } from '@lab/llm/commands';
import { evaluateJudgements } from '../evaluate.js';
import { readJudgedSamples } from '../read-run.js';
import { writeReport, writeSamplePage } from '../report/write-report.js';
import { samplesOfRun } from '../report/samples-of-run.js';
import type { Sample } from '../sample.js';
import { evaluateOptionsOf } from './conclude.js';

/** The verb `report`. */
export const reportCommand: CliCommand = {
  name: 'report',
  summary: 'Write the page of a run, finished or not, or of the judgement of one pair.',
  arguments: [{ name: 'run', summary: 'folder of a run', required: true }],
  options: [
    { flags: '--sample <id>', summary: 'the judgement of this pair: roles, votes, discussion' },
    { flags: '--data <path>', summary: 'the pairs, where they are not where they were' },
  ],
  example: 'widedeep-eval report runs/first --sample 3f2a9c1b5d7e0f48',
  run: (context, input) => run(context, input),
};

async function run(
  context: CliContext,
  { arguments: [dir = ''], options }: CliInput,
): Promise<void> {
  const [id, data] = [textOf(options, 'sample'), textOf(options, 'data')];
  const samples = data === undefined ? undefined : await samplesOfRun(dir, data);
  const report =
    id === undefined ? await runReport(dir, samples) : await writeSamplePage(dir, id, samples);
  context.print(`${report}\n`);
  context.printJson({ run: dir, status: 'success', metrics: null, report });
}

async function runReport(dir: string, samples: readonly Sample[] | undefined): Promise<string> {
  const found = await readJudgedSamples(dir);
  const evaluation = evaluateJudgements(found, evaluateOptionsOf(dir));
  return writeReport(dir, { samples: found, evaluation }, samples);
}
