/** `report`: the page of a run, of the judgement of one pair, or of several runs side by side. */
import { join } from 'node:path';
import { ConfigError, formatShare, makeFolder, writeFileAtomic } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { folderNames, passedCommand, textOf } from '@lab/llm/commands';
import { writeRunPage } from '@lab/report';
import { evaluateJudgements } from '../evaluate.js';
import { readJudgedSamples } from '../read-run.js';
import type { ComparedNetwork } from '../report/compare-figures.js';
import { comparePage } from '../report/compare-page.js';
import { writeReport, writeSamplePage } from '../report/write-report.js';
import { samplesOfRun } from '../report/samples-of-run.js';
import type { Sample } from '../sample.js';
import { evaluateOptionsOf } from './conclude.js';
import { estimateText } from './result-text.js';

/** The verb `report`. */
export const reportCommand: CliCommand = {
  name: 'report',
  summary: 'Write the page of a run, of one pair of it, or of several runs on the same pairs.',
  arguments: [
    { name: 'run', summary: 'folder of a run; several are set side by side', variadic: true },
  ],
  options: [
    { flags: '--sample <id>', summary: 'the judgement of this pair: roles, votes, discussion' },
    { flags: '--data <path>', summary: 'the pairs, where they are not where they were' },
    {
      flags: '--out <dir>',
      summary: 'folder of the page of several runs',
      default: 'runs/widedeep-comparison',
    },
  ],
  example: 'widedeep-eval report runs/first --sample 3f2a9c1b5d7e0f48',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { arguments: dirs, options }: CliInput): Promise<void> {
  const [dir] = dirs;
  if (dir === undefined) {
    throw new ConfigError('no run was given.', { help: 'name the folder of a run.' });
  }
  if (dirs.length > 1) return compareAll(context, dirs, String(options['out']));
  const [id, data] = [textOf(options, 'sample'), textOf(options, 'data')];
  const samples = data === undefined ? undefined : await samplesOfRun(dir, data);
  const report =
    id === undefined ? await runReport(dir, samples) : await writeSamplePage(dir, id, samples);
  context.print(`${report}\n`);
  context.printJson({ run: dir, status: 'success', metrics: null, report });
}

async function runReport(dir: string, samples: readonly Sample[] | undefined): Promise<string> {
  const { samples: found, evaluation } = await evaluated(dir);
  return writeReport(dir, { samples: found, evaluation }, samples);
}

async function evaluated(dir: string): Promise<Omit<ComparedNetwork, 'name'>> {
  const samples = await readJudgedSamples(dir);
  return { dir, samples, evaluation: evaluateJudgements(samples, evaluateOptionsOf(dir)) };
}

/** Several runs on one page; its numbers beside it. */
async function compareAll(
  context: CliContext,
  dirs: readonly string[],
  out: string,
): Promise<void> {
  const names = folderNames(dirs);
  const networks: ComparedNetwork[] = [];
  for (const [at, dir] of dirs.entries()) {
    context.progress.update(`report  ${at + 1}/${dirs.length} runs`);
    networks.push({ name: names[at]!, ...(await evaluated(dir)) });
  }
  context.progress.done();
  const { report, sentence, metrics } = writeComparison(out, networks);
  const rows = networks.map(({ name, evaluation: { agreement, network } }) => ({
    run: name,
    accuracy: agreement === null ? 'n/a' : estimateText(agreement.overall.accuracy),
    kappa: agreement === null ? 'n/a' : estimateText(agreement.overall.kappa),
    'order changes verdict':
      network.position.conflictRate === null ? 'n/a' : formatShare(network.position.conflictRate),
    calls: network.calls,
  }));
  context.print(table(rows));
  context.print(`${sentence}\nreport  ${report}\n`);
  context.printJson({ run: out, status: 'success', metrics, report });
}

/** Writes the page of several runs and `comparison.json`; its path and what it says. */
export function writeComparison(out: string, networks: readonly ComparedNetwork[]) {
  const options = evaluateOptionsOf(networks[0]?.dir ?? '');
  const page = comparePage(networks, passedCommand('widedeep-eval'), options);
  makeFolder(out);
  const report = join(out, 'report.html');
  writeRunPage(report, page);
  const metrics = networks.map(({ name, evaluation }) => ({ name, ...evaluation }));
  writeFileAtomic(join(out, 'comparison.json'), `${JSON.stringify(metrics, null, 2)}\n`);
  return { report, sentence: page.sentence, metrics };
}
