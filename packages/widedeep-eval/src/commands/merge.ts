/** `merge`: one run out of the shards of several processes. */
import { ConfigError, formatCount } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { mergeShards } from '@lab/llm';
import { firstShard, mergeExitCode, passedCommand, textOf } from '@lab/llm/commands';
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
  const samples = await samplesOfRun(
    firstShard(folder, 'widedeep-eval judge'),
    textOf(options, 'data'),
  );
  const { dir, shards, gaps } = await mergeShards({
    folders: [folder],
    out,
    rows: samples,
    allowGaps: options['allowGaps'] === true,
    command: passedCommand('widedeep-eval'),
  });
  context.note(`${formatCount(shards)} shards, ${formatCount(gaps)} pairs missing`);
  const code = await concludeRun(context, dir, { flags: options, gates: parseGates([]) });
  return code === 0 ? mergeExitCode(gaps) : code;
}
