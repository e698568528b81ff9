/** `report`: the page and the figures of a run, from its files. */
import type { CliCommand } from '@lab/core/cli';
import { writeReport } from '../report/run-page.js';
import { collectionArgument } from './collected.js';

/** The verb `report`. */
export const reportCommand: CliCommand = {
  name: 'report',
  summary: 'Write the page of a run, and its figures as SVG and CSV, from what is there.',
  arguments: [collectionArgument],
  options: [],
  example: 'weak-probe report runs/organism',
  run: async (context, { arguments: [dir = ''] }) => {
    context.setRun(dir);
    context.progress.update('drawing');
    const { page, figures } = await writeReport(dir);
    context.progress.done();
    context.print(`${page}\n`);
    context.printJson({ run: dir, status: 'success', metrics: null, report: page, figures });
  },
};
