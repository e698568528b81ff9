/** `rank`: more than two systems in order, from the verdicts of runs. */
import { ConfigError, createRandom, DataError, formatCounted, formatShare } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { writeCsv } from '@lab/core/csv';
import { numberOf, textOf } from '@lab/llm/commands';
import { type Comparison, rankSystems } from '../ranking.js';
import { readJudgedSamples } from '../read-run.js';

/** The verb `rank`. */
export const rankCommand: CliCommand = {
  name: 'rank',
  summary: 'Rank systems by the verdicts of runs (Bradley-Terry, with intervals).',
  arguments: [
    { name: 'run', summary: 'folders of runs whose pairs name their systems', variadic: true },
  ],
  options: [
    { flags: '--gold', summary: 'by the verdicts of people instead of those of the network' },
    { flags: '--out <file>', summary: 'the ranking as CSV' },
    { flags: '--seed <n>', summary: 'of the bootstrap', kind: 'integer', unit: 'default 1' },
    {
      flags: '--resamples <n>',
      summary: 'of the bootstrap',
      kind: 'integer',
      unit: 'default 1000',
    },
  ],
  example: 'widedeep-eval rank runs/first --out ranking.csv',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { arguments: dirs, options }: CliInput): Promise<void> {
  if (dirs.length === 0) {
    throw new ConfigError('no run was given.', { help: 'name the folder of a run.' });
  }
  const comparisons: Comparison[] = [];
  for (const dir of dirs) {
    for (const sample of await readJudgedSamples(dir)) {
      const verdict = options['gold'] === true ? sample.gold : sample.verdict;
      const { system1, system2 } = sample;
      if (verdict !== null && system1 !== null && system2 !== null) {
        comparisons.push({ system1, system2, verdict });
      }
    }
  }
  if (comparisons.length === 0) {
    throw new DataError(`${dirs.join(', ')}: no pair with a verdict names its systems.`, {
      help: 'give the pairs fields system1 and system2, or judge a folder with --systems.',
    });
  }
  const ranking = rankSystems(comparisons, {
    random: createRandom(numberOf(options, 'seed') ?? 1),
    resamples: numberOf(options, 'resamples'),
  });
  const rows = ranking.map(({ name, strength, low, high, winRate, comparisons: n }, at) => ({
    rank: at + 1,
    system: name,
    'strength (95 %)': `${strength.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`,
    'win rate': formatShare(winRate),
    pairs: n,
  }));
  context.print(table(rows));
  context.print(
    `from ${formatCounted(comparisons.length, 'verdict')}; a system that is stronger by d wins ` +
      'with probability 1 / (1 + exp(-d))\n',
  );
  const out = textOf(options, 'out');
  if (out !== undefined) {
    await writeCsv(
      out,
      ['rank', 'system', 'strength', 'low', 'high', 'win rate', 'pairs'],
      ranking.map(({ name, strength, low, high, winRate, comparisons: n }, at) => [
        ...[at + 1, name, strength, low, high, winRate, n],
      ]),
    );
    context.print(`table   ${out}\n`);
  }
  context.printJson({ run: null, status: 'success', metrics: null, ranking });
}
