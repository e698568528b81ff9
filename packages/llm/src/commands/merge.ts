/** `llm merge`: one run out of shards. */
import { existsSync } from 'node:fs';
import { ConfigError, DataError, formatCount, hashFile } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { costLines } from '../cost-lines.js';
import { findShards, mergeShards, type ShardRun } from '../rows/merge-shards.js';
import { readRows } from '../rows/row-file.js';
import { passedCommand } from './earlier-flags.js';
import { mergeExitCode } from './first-shard.js';

/** The verb `merge`. */
export const mergeCommand: CliCommand = {
  name: 'merge',
  summary: 'Make one run of the shards of several processes, in the order of the data.',
  arguments: [{ name: 'folder', summary: 'folder of all shards, or each of them', variadic: true }],
  options: [
    { flags: '--out <dir>', summary: 'new folder of the whole run' },
    { flags: '--data <file>', summary: 'the rows, where they are not where they were' },
    { flags: '--allow-gaps', summary: 'merge although rows are missing' },
  ],
  example: 'llm merge runs/first --out runs/whole',
  run,
};

async function run(
  context: CliContext,
  { arguments: folders, options }: CliInput,
): Promise<number> {
  const { out, data, allowGaps } = options;
  if (typeof out !== 'string') {
    throw new ConfigError('--out DIR is missing.', { help: '"llm merge -h" shows an example.' });
  }
  const shards = findShards(folders);
  const path = await dataOf(shards, typeof data === 'string' ? data : undefined);
  const summary = await mergeShards({
    ...{ folders, out, allowGaps: allowGaps === true },
    rows: readRows(path, { idField: idFieldOf(shards) }),
    command: passedCommand('llm'),
  });
  const { counts, dir, gaps, usage } = summary;
  const rows = Object.entries(counts.byStatus).map(([status, count]) => ({ status, rows: count }));
  const missing = gaps === 0 ? [] : [{ status: 'missing', rows: gaps }];
  context.print(table([...rows, ...missing], ['status', 'rows']));
  context.print(costLines(usage).join('\n'));
  context.print(`${formatCount(summary.shards)} shards in ${dir}`);
  const results = { ...counts, gaps };
  context.printJson({ run: dir, status: 'success', metrics: null, results, usage });
  return mergeExitCode(gaps);
}

function idFieldOf([first]: readonly ShardRun[]): string | undefined {
  const config = first?.record.config.resolved as { readonly idField?: string } | undefined;
  return config?.idField;
}

/** The file that the shards were made from, and still the same. */
async function dataOf([first]: readonly ShardRun[], given: string | undefined): Promise<string> {
  const [record] = first?.record.data ?? [];
  const path = given ?? record?.path;
  if (path === undefined || !existsSync(path)) {
    const help = 'give the file of the rows with --data.';
    throw new DataError(`the rows of the shards are not found: ${path ?? 'no file is named'}.`, {
      help,
    });
  }
  const { sha256 } = await hashFile(path);
  if (record === undefined || sha256 === record.sha256) return path;
  throw new DataError(`${path} is not the file that the shards were made from.`, {
    file: path,
    help: 'give that file with --data.',
  });
}
