/** `llm report`: the page of a run. */
import { statSync } from 'node:fs';
import { formatBytes, readRunRecord } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { findRunInput } from '../exports/run-input.js';
import { loadPage } from './run-report.js';

/** The verb `report`. */
export const reportCommand: CliCommand = {
  name: 'report',
  summary: 'Write the page of a run, finished or not: answers, failures, cost and time.',
  arguments: [{ name: 'run', summary: 'folder of the run', required: true }],
  options: [
    { flags: '--data <file>', summary: 'rows of the run, where they are not where they were' },
  ],
  example: 'llm report runs/first',
  run,
};

async function run(context: CliContext, { arguments: words, options }: CliInput): Promise<void> {
  const [dir = ''] = words;
  const { data } = options;
  const input = await findRunInput(readRunRecord(dir), typeof data === 'string' ? data : undefined);
  for (const remark of input.remarks) context.note(`${remark}; the page is without them.`);
  context.progress.update('reading the run');
  const { writePageOfRun } = await loadPage();
  const { path } = await writePageOfRun(dir, input);
  context.progress.done();
  context.print(`${path} (${formatBytes(statSync(path).size)})`);
  context.printJson({ run: dir, report: path });
}
