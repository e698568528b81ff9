/** `merge`: one run out of the shards of several processes. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError, formatCount } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { mergeShards } from '@lab/llm';
import { passedCommand, textOf } from '@lab/llm/commands';
import { flagsOfRun, selectedRecords } from './data-options.js';

/** The verb `merge`. */
export const mergeCommand: CliCommand = {
  name: 'merge',
  summary: 'Make one run of the shards of several processes, in the order of the questions.',
  arguments: [{ name: 'folder', summary: 'folder of all shards', required: true }],
  options: [
    { flags: '--out <dir>', summary: 'new folder of the whole run' },
    { flags: '--data <file>', summary: 'the questions, where they are not where they were' },
    { flags: '--allow-gaps', summary: 'merge although questions are missing' },
  ],
  example: 'loong merge runs/shards --out runs/whole',
  run: (context, input) => run(context, input),
};

const tooManyMissing = 7;

async function run(
  context: CliContext,
  { arguments: [folder = ''], options }: CliInput,
): Promise<number> {
  const out = textOf(options, 'out');
  if (out === undefined) {
    throw new ConfigError('--out DIR is missing.', {
      help: 'name a new folder for the whole run.',
    });
  }
  const records = await selectedRecords(flagsOfRun(firstShard(folder), textOf(options, 'data')));
  const { dir, shards, gaps, counts, usage } = await mergeShards({
    folders: [folder],
    out,
    rows: eachOf(records),
    allowGaps: options['allowGaps'] === true,
    command: passedCommand('loong'),
  });
  context.print(
    `${formatCount(shards)} shards in ${dir}, ${formatCount(gaps)} questions missing\n`,
  );
  context.printJson({ run: dir, status: 'success', metrics: null, results: counts, usage });
  return gaps === 0 ? 0 : tooManyMissing;
}

async function* eachOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function firstShard(folder: string): string {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const [first] = names.filter((name) => /^\d+-of-\d+$/.test(name)).sort();
  if (first !== undefined) return join(folder, first);
  throw new DataError(`${folder}: the folder holds no shards.`, {
    file: folder,
    help: 'give the folder that "loong run --shard i/k --out" wrote into.',
  });
}
