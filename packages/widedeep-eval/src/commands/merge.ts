/** `merge`: one run out of the shards of several processes. */
import { ConfigError, DataError, formatCount } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { mergeShards } from '@lab/llm';
import { passedCommand, textOf } from '@lab/llm/commands';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { samplesOfRun } from '../report/samples-of-run.js';
import { parseGates } from '../gate.js';
import { concludeRun } from './conclude.js';

/** The verb `merge`. */
export const mergeCommand: CliCommand = {
  name: 'merge',
  summary: 'Make one run of the shards of several processes, in the order of the data.',
  arguments: [{ name: 'folder', summary: 'folder of all shards', required: true }],
  options: [
    { flags: '--out <dir>', summary: 'new folder of the whole run' },
    { flags: '--data <path>', summary: 'the pairs, where they are not where they were' },
    { flags: '--allow-gaps', summary: 'merge although pairs are missing' },
  ],
  example: 'widedeep-eval merge runs/shards --out runs/whole',
  run: (context, input) => run(context, input),
};

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
  const samples = await samplesOfRun(firstShard(folder), textOf(options, 'data'));
  const { dir, shards, gaps } = await mergeShards({
    folders: [folder],
    out,
    rows: rowsOf(samples),
    allowGaps: options['allowGaps'] === true,
    command: passedCommand('widedeep-eval'),
  });
  context.note(`${formatCount(shards)} shards, ${formatCount(gaps)} pairs missing`);
  const code = await concludeRun(context, dir, { flags: options, gates: parseGates([]) });
  return gaps === 0 ? code : tooManyMissing;
}

const tooManyMissing = 7;

async function* rowsOf<T>(samples: readonly T[]): AsyncGenerator<T> {
  yield* samples;
}

/** The folder of the first shard. */
function firstShard(folder: string): string {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const names = isFolder ? readdirSync(folder).filter((name) => /^\d+-of-\d+$/.test(name)) : [];
  const [first] = names.sort();
  if (first !== undefined) return join(folder, first);
  throw new DataError(`${folder}: the folder holds no shards.`, {
    file: folder,
    help: 'give the folder that "widedeep-eval judge --shard i/k --out" wrote into.',
  });
}
