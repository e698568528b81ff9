/** `utility`: what ablating heads costs on tasks and on a text. */
import { readFileSync } from 'node:fs';
import { ConfigError, DataError, formatNumber, formatShare, writeFileAtomic } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { modelFlags, type OpenedModel, openModel } from '@lab/transformer/commands';
import { ablationChanges, type PassChanges } from '../ablation.js';
import {
  accuracyChange,
  evaluateTask,
  type Perplexity,
  perplexity,
  type TaskAccuracy,
} from '../utility.js';
import { readTask, type TaskItem, taskNames } from '../utility/tasks.js';
import { ablationOptions, chosenHeads, headOptions, headsText } from './head-options.js';

/** The verb `utility`. */
export const utilityCommand: CliCommand = {
  name: 'utility',
  summary: 'Measure accuracy on tasks and perplexity of a text, intact and with heads ablated.',
  options: [
    {
      flags: '--task <name=file>',
      summary: `${taskNames.join(', ')}, with its JSON lines; several times for more`,
      kind: 'repeated',
    },
    { flags: '--text <file>', summary: 'text whose perplexity is measured' },
    { flags: '--limit <n>', summary: 'the first so many questions of each task', kind: 'integer' },
    { flags: '--begin-token', summary: 'texts begin with the token for that', kind: 'boolean' },
    {
      flags: '--batch-tokens <n>',
      ...{ summary: 'tokens computed together', kind: 'integer', default: 2048 },
    },
    { flags: '-o, --out <file>', summary: 'JSON with all answers' },
    ...headOptions,
    ...ablationOptions,
    ...modelFlags,
  ],
  example: 'sahara utility --model MODEL --task boolq=boolq.jsonl --heads 2-26 --limit 500',
  run: async (context, input) => {
    const tasks = await namedTasks(input);
    const text = textOf(input);
    if (tasks.length === 0 && text === null) {
      throw new ConfigError('neither --task NAME=FILE nor --text FILE is given.', {
        help: `Tasks: ${taskNames.join(', ')}.`,
      });
    }
    const opened = await openModel(context, input);
    try {
      await measure(context, { input, opened, tasks, text });
    } finally {
      opened.model.dispose();
    }
  },
};

interface NamedTask {
  readonly name: string;
  readonly items: readonly TaskItem[];
}

async function namedTasks({ options }: CliInput): Promise<NamedTask[]> {
  const tasks: NamedTask[] = [];
  for (const given of (options['task'] as string[] | undefined) ?? []) {
    const [, name, path] = /^([^=]+)=(.+)$/.exec(given) ?? [];
    if (name === undefined || path === undefined) {
      throw new ConfigError(`--task ${given} is not NAME=FILE.`, {
        help: 'For example --task boolq=boolq.jsonl.',
      });
    }
    const limit = options['limit'] as number | undefined;
    tasks.push({ name, items: await readTask(name, path, limit) });
  }
  return tasks;
}

function textOf({ options }: CliInput): string | null {
  const path = options['text'];
  if (typeof path !== 'string') return null;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DataError(`${path}: the file cannot be read.`, {
      ...{ file: path, cause, help: 'Check the path.' },
    });
  }
}

interface Work {
  readonly input: CliInput;
  readonly opened: OpenedModel;
  readonly tasks: readonly NamedTask[];
  readonly text: string | null;
}

/** What a model gives: accuracies in the order of the tasks. */
interface Measured {
  readonly tasks: readonly TaskAccuracy[];
  readonly text: Perplexity | null;
}

async function measure(context: CliContext, work: Work): Promise<void> {
  const { input, opened, tasks } = work;
  const { heads: named, scores, out } = input.options;
  const hasHeads = named !== undefined || scores !== undefined;
  const chosen = hasHeads ? chosenHeads(input, opened.model.architecture) : null;
  const intact = await measureOne(context, work, 'intact');
  const changes = chosen && ablationChanges(opened.model, chosen.ablation, chosen.heads);
  const ablated = changes && (await measureOne(context, work, 'ablated', changes));
  context.progress.done();
  const rows = tasks.flatMap(({ name }, at) => {
    const [before, after] = [intact.tasks[at]!, ablated?.tasks[at]];
    const change = after && accuracyChange(before, after);
    return [
      rowOf(name, 'intact', before),
      ...(after === undefined
        ? []
        : [{ ...rowOf('', `without ${headsText(chosen!.heads)}`, after), p: change!.pValue }]),
    ];
  });
  const results = {
    model: opened.folder,
    heads: chosen?.heads ?? [],
    ablation: chosen?.ablation ?? null,
    tasks: tasks.map(({ name }, at) => ({
      ...{ task: name, intact: intact.tasks[at]!, ablated: ablated?.tasks[at] ?? null },
    })),
    text: { intact: intact.text, ablated: ablated?.text ?? null },
  };
  if (typeof out === 'string') writeFileAtomic(out, `${JSON.stringify(results, null, 2)}\n`);
  context.printJson({ run: null, status: 'success', metrics: null, ...results });
  if (rows.length > 0) context.print(table(rows));
  for (const [name, found] of [
    ['intact', intact.text],
    ['ablated', ablated?.text],
  ] as const) {
    if (!found) continue;
    const bits = formatNumber(found.bitsPerByte);
    context.print(`perplexity ${name}  ${formatNumber(found.perplexity)}  (${bits} bits a byte)\n`);
  }
}

const rowOf = (task: string, model: string, { accuracy, normalised, n }: TaskAccuracy) => ({
  ...{ task, model, acc: formatShare(accuracy.share) },
  '95 %': `${formatShare(accuracy.low)} to ${formatShare(accuracy.high)}`,
  ...{ acc_norm: formatShare(normalised.share), n },
});

async function measureOne(
  context: CliContext,
  { input, opened, tasks, text }: Work,
  name: string,
  changes?: PassChanges,
): Promise<Measured> {
  const options = {
    ...{ changes, signal: context.signal, logger: context.logger },
    beginToken: input.options['beginToken'] === true,
    batchTokens: input.options['batchTokens'] as number,
  };
  const found: TaskAccuracy[] = [];
  for (const task of tasks) {
    found.push(
      await evaluateTask(opened, task.items, {
        ...options,
        onProgress: (done, total) => {
          const what = `utility  ${name}  ${task.name} ${done}/${total} options`;
          context.progress.update(what, done / total);
        },
      }),
    );
  }
  return { tasks: found, text: text === null ? null : await perplexity(opened, text, options) };
}
