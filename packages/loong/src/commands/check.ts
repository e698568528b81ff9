/** `check`: what there is of questions and documents, and what is missing. */
import { collectDefects, formatCount } from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  defectList,
  defectsError,
  printEnvironment,
  table,
} from '@lab/core/cli';
import { type Construction, goldOf } from '../build/operations.js';
import { missingDocuments, missingError, openLibrary } from '../library.js';
import { type LoongRecord, readRecords } from '../record.js';
import { countsTable } from '../report/figures.js';
import { selectRecords } from '../select.js';
import { type LengthStatistics, lengthStatistics } from '../statistics.js';
import { version } from '../version.js';
import { dataFile, dataOptions, docsFolder, selectionOf } from './data-options.js';

/** The verb `check`. */
export const checkCommand: CliCommand = {
  name: 'check',
  summary: 'Count the questions, and name every document that is missing and where it belongs.',
  options: [...dataOptions, { flags: '--env', summary: 'versions and machine, for bug reports' }],
  example: 'loong check --data loong.jsonl --docs doc',
  run: async (context, input) => {
    if (input.options['env'] === true) return printEnvironment(context, { '@lab/loong': version });
    return checkData(context, input);
  },
};

async function checkData(context: CliContext, { options }: CliInput): Promise<void> {
  const collected = collectDefects();
  const dedupe = options['dedupe'] === true;
  const all = await readRecords(dataFile(options), { onDefect: collected.onDefect, dedupe });
  if (collected.count > 0) {
    context.print(`${defectList(collected, context.width)}\n`);
    throw defectsError(collected);
  }
  const records = selectRecords(all, selectionOf(options));
  const counts = countsTable(records);
  const statistics = lengthStatistics(records);
  const wrong = wrongAnswers(records);
  const tokens = records.reduce((sum, { length }) => sum + length, 0);
  context.print(table(statistics.map(statisticsRow)));
  context.print(table(counts));
  context.print(`${formatCount(records.length)} questions, ${formatCount(tokens)} tokens in all\n`);
  const dir = docsFolder(options);
  if (dir === undefined) {
    context.print('documents: none given; --docs DIR names their folder\n');
  } else {
    const library = await openLibrary(dir);
    const missing = missingDocuments(records, library);
    if (missing.length > 0) throw missingError(dir, missing);
    const names = new Set(records.flatMap(({ type, doc }) => doc.map((name) => `${type} ${name}`)));
    context.print(`documents: all ${formatCount(names.size)} are in ${dir}\n`);
  }
  if (wrong.length > 0) {
    context.note(
      `warning: ${wrong.length} gold answers do not follow from their values: ${wrong[0]}`,
    );
  }
  context.print('next: loong plan --data ... --docs ... --model NAME\n');
  const facts = { questions: records.length, tokens, statistics, counts, wrongAnswers: wrong };
  context.printJson({ run: null, status: 'success', metrics: null, ...facts });
}

function statisticsRow({ name, meanDocuments, ...counts }: LengthStatistics) {
  return {
    group: name,
    questions: counts.questions,
    en: counts.en,
    zh: counts.zh,
    'documents, mean': meanDocuments.toFixed(1),
    'tokens, mean': formatCount(counts.meanTokens),
    least: formatCount(counts.leastTokens),
    most: formatCount(counts.mostTokens),
  };
}

/** Made questions whose answer is not the one that their values give. */
function wrongAnswers(records: readonly LoongRecord[]): string[] {
  return records.flatMap(({ id, answer, construction }) => {
    if (construction === undefined) return [];
    const gold = goldOf(construction as unknown as Construction);
    return JSON.stringify(gold) === JSON.stringify(answer) ? [] : [id];
  });
}
