/** `merge`: one run out of the shards of several processes. */
import { ConfigError, formatCount } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { mergeShards } from '@lab/llm';
import { firstShard, mergeExitCode, passedCommand, textOf } from '@lab/llm/commands';
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
  const records = await selectedRecords(
    flagsOfRun(firstShard(folder, 'loong run'), textOf(options, 'data')),
  );
  const { dir, shards, gaps, counts, usage } = await mergeShards({
    folders: [folder],
    out,
    rows: records,
    allowGaps: options['allowGaps'] === true,
    command: passedCommand('loong'),
  });
  context.print(
    `${formatCount(shards)} shards in ${dir}, ${formatCount(gaps)} questions missing\n`,
  );
  context.printJson({ run: dir, status: 'success', metrics: null, results: counts, usage });
  return mergeExitCode(gaps);
}
