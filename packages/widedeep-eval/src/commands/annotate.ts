/** `annotate`: the least certain pairs of a run for people to decide, as a table and as a page. */
import { ConfigError, formatCounted } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { numberOf, textOf } from '@lab/llm/commands';
import { writeReviewPage } from '@lab/report';
import {
  annotationCells,
  annotationColumns,
  type AnnotationQuestion,
  annotationQuestion,
  writeAnnotations,
} from '../annotations.js';
import { leastCertain } from '../human-assist.js';
import type { Judgement } from '../judgement.js';
import { eachPrediction, readJudgedSamples } from '../read-run.js';
import { wordsOf } from '../report/sample-page.js';
import { samplesOfRun } from '../report/samples-of-run.js';

/** The verb `annotate`. */
export const annotateCommand: CliCommand = {
  name: 'annotate',
  summary: 'Write the least certain pairs of a run for people to decide.',
  arguments: [{ name: 'run', summary: 'folder of a run', required: true }],
  options: [
    { flags: '--out <file>', summary: 'CSV for a spreadsheet', unit: 'default annotations.csv' },
    { flags: '--page <file>', summary: 'the same as a page: decide by mouse or keys' },
    {
      flags: '--share <share>',
      summary: 'of all pairs',
      kind: 'number',
      unit: 'default 0.2',
    },
    {
      flags: '--arms',
      summary: 'hide the verdict of the network on half of the pairs, to measure its worth',
    },
    { flags: '--seed <n>', summary: 'which half', kind: 'integer', unit: 'default 1' },
    { flags: '--data <path>', summary: 'the pairs, where they are not where they were' },
  ],
  example: 'widedeep-eval annotate runs/first --share 0.2 --page annotate.html',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { arguments: [dir = ''], options }: CliInput) {
  const share = numberOf(options, 'share') ?? 0.2;
  if (!(share > 0 && share <= 1)) {
    throw new ConfigError(`--share is ${share}; allowed is a share above 0, up to 1.`);
  }
  const chosen = leastCertain(await readJudgedSamples(dir), share).map(({ id }) => id);
  const questions = await questionsOf(dir, chosen, {
    hasArms: options['arms'] === true,
    seed: numberOf(options, 'seed') ?? 1,
    data: textOf(options, 'data'),
  });
  const lost = chosen.length - questions.length;
  if (lost > 0) {
    context.note(
      `${formatCounted(lost, 'pair')} of ${chosen.length} left out: not among the pairs of --data.`,
    );
  }
  const out = textOf(options, 'out') ?? 'annotations.csv';
  await writeAnnotations(out, questions);
  context.print(`${formatCounted(questions.length, 'pair')}, least certain first: ${out}`);
  const page = textOf(options, 'page');
  if (page !== undefined) {
    writeReviewPage(page, annotationPage(questions, dir));
    context.print(`page    ${page}`);
  }
  context.print(`next    widedeep-eval evaluate ${dir} --annotations ${out}\n`);
  context.printJson({
    ...{ run: dir, status: 'success', metrics: null, file: out, page: page ?? null },
    pairs: questions.length,
  });
}

async function questionsOf(
  dir: string,
  chosen: readonly string[],
  options: { readonly hasArms: boolean; readonly seed: number; readonly data: string | undefined },
): Promise<AnnotationQuestion[]> {
  const wanted = new Set(chosen);
  const judgements = new Map<string, Judgement>();
  await eachPrediction(dir, ({ id, output }) => {
    if (output !== null && wanted.has(id)) judgements.set(id, output);
  });
  const samples = new Map(
    (await samplesOfRun(dir, options.data)).map((sample) => [sample.id, sample]),
  );
  return chosen.flatMap((id) => {
    const sample = samples.get(id);
    if (sample === undefined) return [];
    return [annotationQuestion(sample, judgements.get(id) ?? null, options)];
  });
}

/** The page on which pairs are decided. */
function annotationPage(questions: readonly AnnotationQuestion[], dir: string) {
  // The page adds its own columns for the decision and its time.
  const columns = annotationColumns.slice(0, -3);
  return {
    title: 'Which answer is better?',
    sentence:
      'Decide each pair by the texts. Where reasons of the network are shown, confirm or correct ' +
      'them.',
    eyebrow: `pairs of ${dir}, least certain first`,
    columns,
    fileName: 'annotations.csv',
    command: `widedeep-eval evaluate ${dir} --annotations annotations.csv`,
    isTimed: true,
    choices: {
      legend: 'Better:',
      options: [
        { value: '1', label: 'answer 1', key: '1' },
        { value: '2', label: 'answer 2', key: '2' },
        { value: 'tie', label: 'equally good', key: '0' },
      ],
    },
    questions: questions.map((question) => ({
      cells: annotationCells(question).slice(0, -3),
      source: question.id,
      target: '',
      names: [
        { label: 'Question', value: question.question },
        { label: 'Answer 1', value: question.answer1 },
        { label: 'Answer 2', value: question.answer2 },
      ],
      why:
        question.network === ''
          ? 'Decide without the network.'
          : `The network says: ${wordsOf(question.network)}.`,
      measures: [],
      evidence: question.reasons === '' ? undefined : question.reasons,
      others: [],
    })),
  };
}
