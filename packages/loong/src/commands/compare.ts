/** `compare`: runs on the same questions, paired. */
import { join } from 'node:path';
import { ConfigError, makeFolder, writeFileAtomic } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { folderNames, passedCommand, textOf } from '@lab/llm/commands';
import { writeRunPage } from '@lab/report';
import { type Comparison, compareScores } from '../compare.js';
import { comparePage, pairSentence } from '../report/compare-page.js';
import { judgesFlag, judgesNamed } from './judge-flag.js';
import { evaluateOptionsOf, scoredRun } from './scored-run.js';
import { groupsText } from './texts.js';

/** The verb `compare`. */
export const compareCommand: CliCommand = {
  name: 'compare',
  summary: 'Set runs side by side, question by question: who is better, and how sure is that.',
  arguments: [
    { name: 'run', summary: 'folders of runs, the first is compared with', variadic: true },
  ],
  options: [
    judgesFlag,
    { flags: '--rule-scores', summary: 'scores by rule: no judge, the same every time' },
    { flags: '--data <file>', summary: 'the questions, where they are not where they were' },
    { flags: '--out <dir>', summary: 'folder of the page', default: 'runs/loong-comparison' },
  ],
  example: 'loong compare runs/first runs/second --out runs/both',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { arguments: dirs, options }: CliInput): Promise<void> {
  if (dirs.length < 2) {
    throw new ConfigError(`compare takes at least two runs, ${dirs.length} given.`, {
      help: 'e.g. "loong compare runs/first runs/second".',
    });
  }
  const names = folderNames(dirs);
  const folders = [];
  for (const [index, dir] of dirs.entries()) {
    const ruleScores = options['ruleScores'] === true;
    const source = { dir, judges: judgesNamed(options), data: textOf(options, 'data'), ruleScores };
    const { scored } = await scoredRun(source);
    folders.push({ name: names[index]!, dir, scored });
  }
  const settings = evaluateOptionsOf({ dir: dirs[0]! });
  const comparison = compareScores(folders, settings);
  const out = String(options['out']);
  const report = writeComparison(out, comparison, folders);
  const groups = comparison.runs.map(({ name, evaluation }) => ({ ...evaluation.overall, name }));
  context.print(groupsText('run', groups));
  for (const pair of comparison.pairs) context.print(`${pairSentence(pair)}\n`);
  context.print(`report  ${report}\n`);
  const { pairs } = comparison;
  context.printJson({ run: out, status: 'success', metrics: null, pairs, report });
}

/** Writes `comparison.json` and `report.html`; its path. */
export function writeComparison(
  out: string,
  comparison: Comparison,
  folders: Parameters<typeof comparePage>[1],
): string {
  makeFolder(out);
  writeFileAtomic(join(out, 'comparison.json'), `${JSON.stringify(comparison, null, 2)}\n`);
  const report = join(out, 'report.html');
  writeRunPage(report, comparePage(comparison, folders, passedCommand('loong')));
  return report;
}
