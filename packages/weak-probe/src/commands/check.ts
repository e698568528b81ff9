/** `check`: what there is of prompts and model, and every defect at once. */
import { collectDefects, DataError, formatCount } from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  defectList,
  defectsError,
  printEnvironment,
  table,
} from '@lab/core/cli';
import { readPromptData } from '@lab/transformer';
import { version } from '../version.js';
import {
  inputOptions,
  type PromptInput,
  readPromptInput,
  readSet,
  remarksOn,
  settingsOf,
  sourcesOf,
} from './prompt-input.js';

/** The verb `check`. */
export const checkCommand: CliCommand = {
  name: 'check',
  summary: 'Count prompts and tokens of each class, and name what is wrong with the files.',
  options: [...inputOptions, { flags: '--env', summary: 'versions and machine, for bug reports' }],
  example: 'weak-probe check --model example:organism',
  run: async (context, input) => {
    if (input.options['env'] === true) {
      return printEnvironment(context, { '@lab/weak-probe': version });
    }
    await assertSources(context, input);
    return input.options['model'] === undefined
      ? checkFiles(context, input)
      : checkPrompts(context, await readPromptInput(context, input));
  },
};

/** Every file is tried, so that all that cannot be read are named at once. */
async function assertSources(context: CliContext, input: CliInput): Promise<void> {
  const collected = collectDefects();
  for (const { path } of sourcesOf(input)) {
    try {
      await readPromptData(path, { column: input.options['column'] as string | undefined });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      collected.onDefect(error);
    }
  }
  if (collected.count === 0) return;
  context.print(`${defectList(collected, context.width)}\n`);
  throw defectsError(collected);
}

async function checkFiles(context: CliContext, input: CliInput): Promise<void> {
  const { config } = await settingsOf(input);
  const set = await readSet(input, config);
  for (const line of remarksOn(set).slice(1)) context.note(line);
  context.printJson({ run: null, status: 'success', metrics: null, counts: set.counts });
  const rows = set.counts.map(({ label, read, duplicates, kept }) => ({
    ...{ class: label, read, duplicates, used: kept },
  }));
  context.print(table(rows));
  context.print('next: the same with --model DIR counts tokens\n');
}

function checkPrompts(context: CliContext, { set, formatted }: PromptInput): void {
  const rows = set.counts.map(({ label, read, duplicates, kept }) => {
    const lengths = formatted.prompts.filter((one) => one.label === label);
    const tokens = lengths.map(({ ids }) => ids.length);
    const sum = tokens.reduce((total, count) => total + count, 0);
    return {
      ...{ class: label, read, duplicates, used: Math.min(kept, lengths.length) },
      'mean tokens': (sum / Math.max(1, tokens.length)).toFixed(1),
      'most tokens': tokens.reduce((most, count) => Math.max(most, count), 0),
    };
  });
  const isAlike = new Set(formatted.prompts.map(({ ids }) => ids.at(-1))).size === 1;
  context.print(table(rows));
  context.print(
    `${formatCount(formatted.prompts.length)} prompts; the last token is ` +
      `${isAlike ? 'the same in all: state 0 says nothing' : 'not the same in all'}\n` +
      'next: weak-probe plan, then collect, with the same flags\n',
  );
  context.printJson({
    ...{ run: null, status: 'success', metrics: null, classes: rows, isLastTokenAlike: isAlike },
  });
}
