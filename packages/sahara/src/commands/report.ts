/** `report`: the page of a run, of several side by side, and every figure as a file. */
import { join } from 'node:path';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { type RunPage, writeRunPage } from '@lab/report';
import { type PaperModel, paperModels } from '../published.js';
import { comparisonPage } from '../report/comparison-page.js';
import { writeFigures } from '../report/figure-files.js';
import { readRunContents } from '../report/run-contents.js';
import { runPage } from '../report/run-page.js';
import { utilitySection } from '../report/utility-section.js';

/** The verb `report`. */
export const reportCommand: CliCommand = {
  name: 'report',
  summary: 'Write the page of a run, finished or not, or of several runs side by side.',
  arguments: [{ name: 'runs', summary: 'folders of runs', required: true, variadic: true }],
  options: [
    {
      flags: '-o, --out <file>',
      summary: 'the page',
      unit: 'default report.html in the run, comparison.html for several',
    },
    {
      flags: '--utility <file>',
      summary: 'what "sahara utility --out" wrote; several times for more',
      kind: 'repeated',
    },
    {
      flags: '--published <model>',
      summary: 'model of the paper that runs stand beside',
      choices: paperModels,
      unit: 'default by the name of its folder',
    },
    { flags: '--figures <dir>', summary: 'writes every figure there: SVG, CSV and JSON' },
    { flags: '--png', summary: 'figures as PNG, too; needs @resvg/resvg-js', kind: 'boolean' },
  ],
  example: 'sahara report runs/2026-11-28T0100-sahara-ships-s1-3f9c',
  run: (context, input) => report(context, input),
};

async function report(context: CliContext, { arguments: dirs, options }: CliInput): Promise<void> {
  const out = options['out'] as string | undefined;
  const figures = options['figures'] as string | undefined;
  const page = pageOf(dirs, {
    utility: (options['utility'] ?? []) as readonly string[],
    published: (options['published'] as PaperModel | undefined) ?? null,
  });
  const path = out ?? (dirs.length === 1 ? join(dirs[0]!, 'report.html') : 'comparison.html');
  writeRunPage(path, page);
  const files =
    figures === undefined ? [] : await writeFigures(figures, page, options['png'] === true);
  context.print(`${path}\n`);
  if (figures !== undefined) context.note(`figures  ${files.length} files in ${figures}`);
  const run = dirs.length === 1 ? dirs[0] : null;
  context.printJson({ run, status: 'success', metrics: null, report: path, figures: files });
}

interface PageOptions {
  readonly utility: readonly string[];
  readonly published: PaperModel | null;
}

function pageOf(dirs: readonly string[], { utility, published }: PageOptions): RunPage {
  const runs = dirs.map(readRunContents);
  const command = `sahara report ${dirs.join(' ')}`;
  const page =
    runs.length === 1 ? runPage(runs[0]!, published) : comparisonPage(runs, { command, published });
  if (utility.length === 0) return page;
  return { ...page, sections: [...page.sections, utilitySection(utility)] };
}
