/** `report`: the page of a run made again, or several runs side by side. */
import { formatCounted } from '@lab/core';
import type { CliCommand } from '@lab/core/cli';
import {
  compareRuns,
  type RunComparison,
  comparisonSentence,
  readRunFolder,
  resultTable,
  textTable,
  writeComparisonPage,
} from '@lab/report';
import { isAutomatic } from '../automatic-seeds.js';
import { writeReport } from '../conclude.js';
import { measuredApart } from '../measured-apart.js';
import type { AlignmentMethod } from '../method.js';
import { finishedTraining, restoreRun } from '../restore.js';
import { backendOptions } from './options.js';
import { seedLine } from './metrics-table.js';
import { searchReporter } from './search-progress.js';
import { chosenBackend } from './train.js';

/** The verb `report`. */
export const reportCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'report',
  summary: 'Write the page of a run again, or one page that compares several runs.',
  arguments: [{ name: 'runs', summary: 'run folders', required: true, variadic: true }],
  options: [
    { flags: '--out <file>', summary: 'page of a comparison', default: 'comparison.html' },
    ...backendOptions,
  ],
  example: `${method.name} report runs/A runs/B --out comparison.html`,
  run: async (context, input) => {
    const dirs = input.arguments;
    if (dirs.length === 1) {
      await chosenBackend(context, input);
      context.progress.update('reading the run');
      const restored = await restoreRun(method, dirs[0]!);
      try {
        const trained = finishedTraining(restored);
        const { reportPath, summary } = await writeReport(method, trained.result, {
          ...trained.options,
          signal: context.signal,
          onProgress: searchReporter(context, 'searching counterparts'),
        });
        context.progress.done();
        context.printJson({ run: dirs[0], ...summary, report: reportPath });
        context.print(`${reportPath}${seedLine(summary.seedOrigin)}\n`);
      } finally {
        restored.state.dispose();
      }
      return;
    }
    const comparison = compareWithWarnings(dirs);
    const { path } = writeComparisonPage(String(input.options['out']), comparison);
    context.printJson({
      run: null,
      status: 'success',
      metrics: null,
      page: path,
      differences: comparison.differences,
      warnings: comparison.warnings,
    });
    context.print(textTable(resultTable(comparison)).trimEnd());
    context.print(comparisonSentence(comparison));
    for (const warning of comparison.warnings) context.note(`note: ${warning}`);
    const count = comparison.groups.reduce((sum, { runs }) => sum + runs.length, 0);
    context.print(`${formatCounted(count, 'run')} compared in ${path}`);
  },
});

/** The comparison, with warnings for seeds that were made from names, and for other scores. */
function compareWithWarnings(dirs: readonly string[]): RunComparison {
  const comparison = compareRuns(dirs.map((dir) => readRunFolder(dir)));
  const runs = comparison.groups.flatMap((group) => group.runs);
  const warnings = runs.flatMap(({ name, record }) => {
    const { seedOrigin = '' } = (record.results ?? {}) as { seedOrigin?: string };
    return isAutomatic(seedOrigin) ? [`${name}: the seeds are ${seedOrigin}.`] : [];
  });
  const scores = comparison.groups.map(({ label, runs: [run] }) => {
    return [label, run!.settings['evaluation.scores'] ?? 'not set'] as const;
  });
  const apart = measuredApart('scores', new Map(scores));
  return { ...comparison, warnings: [...comparison.warnings, ...apart, ...warnings] };
}
