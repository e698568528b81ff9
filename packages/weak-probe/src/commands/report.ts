/** `report`: the page and the figures of a run, from its files; or of several side by side. */
import type { CliCommand } from '@lab/core/cli';
import { writeComparison } from '../report/compare-page.js';
import { namedModel } from '../report/published-section.js';
import { writeReport } from '../report/run-page.js';

/** The verb `report`. */
export const reportCommand: CliCommand = {
  name: 'report',
  summary: 'Write the page of a run and its figures (SVG, CSV), or one page that compares runs.',
  arguments: [{ name: 'runs', summary: 'run folders', required: true, variadic: true }],
  options: [
    { flags: '--out <file>', summary: 'page of a comparison', default: 'comparison.html' },
    {
      flags: '--published <model>',
      summary: 'model of the published chart beside a run, or none',
      unit: 'default by the name of the model',
    },
  ],
  example: 'weak-probe report runs/base runs/chat --out comparison.html',
  run: async (context, { arguments: dirs, options }) => {
    context.progress.update('drawing');
    if (dirs.length > 1) {
      const page = writeComparison(String(options['out']), dirs);
      context.progress.done();
      context.print(`${page}\n`);
      context.printJson({ run: null, status: 'success', metrics: null, report: page });
      return;
    }
    const [dir = ''] = dirs;
    context.setRun(dir);
    const named = options['published'];
    const published = typeof named === 'string' ? namedModel(named) : undefined;
    const written = await writeReport(dir, { published });
    context.progress.done();
    context.print(`${written.page}\n`);
    const { page, figures, dissociation } = written;
    const files = { report: page, figures, dissociation };
    context.printJson({ run: dir, status: 'success', metrics: null, ...files });
  },
};
