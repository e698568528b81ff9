/** `check`: every defect of the data at once, or what machine this is. */
import { collectDefects, formatCounted, formatShare } from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  defectList,
  defectsError,
  printEnvironment,
  table,
} from '@lab/core/cli';
import { textOf } from '@lab/llm/commands';
import { familyOf, loadFamilies } from '../families/load-families.js';
import { dataFloors } from '../floors.js';
import { readSamples } from '../readers/read-samples.js';
import { repeatsOf, repeatsText } from '../repeats.js';
import type { Sample } from '../sample.js';
import { flagsOf } from '../sample-checks.js';
import { version } from '../version.js';
import { dataOptions, sampleSource, slicedSamples } from './data-options.js';

/** The verb `check`. */
export const checkCommand: CliCommand = {
  name: 'check',
  summary: 'List every defect of the pairs at once, or describe the machine.',
  options: [...dataOptions, { flags: '--env', summary: 'versions and machine, for bug reports' }],
  example: 'widedeep-eval check --data pairs.csv',
  run: async (context, input) => {
    if (input.options['env'] === true)
      return printEnvironment(context, { '@lab/widedeep-eval': version });
    return checkData(context, input);
  },
};

async function checkData(context: CliContext, { options }: CliInput): Promise<void> {
  const collected = collectDefects();
  const samples = slicedSamples(
    await readSamples(sampleSource(options, collected.onDefect)),
    options,
  );
  if (collected.count > 0) {
    context.print(`${defectList(collected, context.width)}\n`);
    throw defectsError(collected);
  }
  const families = loadFamilies(textOf(options, 'families'));
  for (const name of new Set(samples.map(({ family }) => family))) familyOf(families, name);
  const facts = factsOf(samples);
  context.print(
    table(facts.datasets, [
      ...['data set', 'family', 'pairs', '1', '2', 'tie', 'no gold', 'characters'],
    ]),
  );
  const odd = Object.entries(facts.flags);
  if (facts.floors.length > 0) {
    context.print(
      table(
        facts.floors.map(({ name, accuracy, kappa }) => ({
          'without a model': name,
          accuracy: formatShare(accuracy, 4),
          kappa: formatShare(kappa, 4),
        })),
      ),
    );
  }
  if (facts.withoutQuestion > 0) {
    const count = formatCounted(facts.withoutQuestion, 'pair');
    context.print(`${count} without a question; --question names its field\n`);
  }
  for (const text of repeatsText(facts.repeats)) context.print(`${text}\n`);
  for (const [flag, count] of odd) context.print(`${formatCounted(count, 'pair')}: ${flag}\n`);
  context.print('no defects; next: widedeep-eval plan --data ... --model NAME\n');
  context.printJson({ run: null, status: 'success', metrics: null, ...facts });
}

function factsOf(samples: readonly Sample[]) {
  const names = [...new Set(samples.map(({ dataset }) => dataset))].sort();
  const datasets = names.map((dataset) => {
    const own = samples.filter((sample) => sample.dataset === dataset);
    const count = (gold: Sample['gold']) => own.filter((sample) => sample.gold === gold).length;
    const characters = own.reduce(
      (sum, { question, answer1, answer2 }) =>
        sum + question.length + answer1.length + answer2.length,
      0,
    );
    return {
      'data set': dataset,
      family: [...new Set(own.map(({ family }) => family))].join(', '),
      pairs: own.length,
      ...{ '1': count('1'), '2': count('2'), tie: count('tie'), 'no gold': count(null) },
      characters: Math.round(characters / own.length),
    };
  });
  const flags: Record<string, number> = {};
  for (const flag of samples.flatMap(flagsOf)) flags[flag] = (flags[flag] ?? 0) + 1;
  const withoutQuestion = samples.filter(({ question }) => question.trim() === '').length;
  const repeats = repeatsOf(samples);
  const floors = dataFloors(samples);
  return { pairs: samples.length, datasets, floors, flags, repeats, withoutQuestion };
}
