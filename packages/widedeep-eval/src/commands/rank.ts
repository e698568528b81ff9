/** `rank`: more than two systems in order, from the verdicts of runs. */
import { ConfigError, createRandom, DataError, formatCounted, formatShare } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { writeCsv } from '@lab/core/csv';
import { type FlagValues, numberOf, textOf } from '@lab/llm/commands';
import {
  type LengthControlledRanking,
  type LengthControlledSystem,
  rankAtEqualLength,
} from '../length-control.js';
import { type Comparison, type RankedSystem, rankSystems } from '../ranking.js';
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
    { flags: '--equal-length', summary: 'as if the answers of a pair were equally long' },
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

type Ranked = RankedSystem & Partial<Pick<LengthControlledSystem, 'equalLengthWinRate'>>;

async function run(context: CliContext, { arguments: dirs, options }: CliInput): Promise<void> {
  const comparisons = await comparisonsOf(dirs, options['gold'] === true);
  const settings = {
    random: createRandom(numberOf(options, 'seed') ?? 1),
    resamples: numberOf(options, 'resamples'),
  };
  const controlled =
    options['equalLength'] === true ? rankAtEqualLength(comparisons, settings) : null;
  const ranking = controlled?.systems ?? rankSystems(comparisons, settings);
  context.print(table(ranking.map(rowOf)));
  context.print(
    `from ${formatCounted(comparisons.length, 'verdict')}; a system that is stronger by d wins ` +
      'with probability 1 / (1 + exp(-d))\n',
  );
  if (controlled !== null) context.print(effectText(controlled));
  await writeRanking(context, options, ranking);
  const { lengthEffect = null } = controlled ?? {};
  context.printJson({ run: null, status: 'success', metrics: null, ranking, lengthEffect });
}

async function comparisonsOf(dirs: readonly string[], isGold: boolean): Promise<Comparison[]> {
  if (dirs.length === 0) {
    throw new ConfigError('no run was given.', { help: 'name the folder of a run.' });
  }
  const comparisons: Comparison[] = [];
  for (const dir of dirs) {
    for (const sample of await readJudgedSamples(dir)) {
      const verdict = isGold ? sample.gold : sample.verdict;
      const { system1, system2, lengthDifference } = sample;
      if (verdict !== null && system1 !== null && system2 !== null) {
        comparisons.push({ system1, system2, verdict, lengthDifference });
      }
    }
  }
  if (comparisons.length > 0) return comparisons;
  throw new DataError(`${dirs.join(', ')}: no pair with a verdict names its systems.`, {
    help: 'give the pairs fields system1 and system2, or judge a folder with --systems.',
  });
}

function rowOf(system: Ranked, at: number): Record<string, string | number> {
  const { name, strength, low, high, winRate, comparisons, equalLengthWinRate } = system;
  return {
    rank: at + 1,
    system: name,
    'strength (95 %)': `${strength.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`,
    'win rate': formatShare(winRate),
    ...(equalLengthWinRate === undefined
      ? {}
      : { 'at equal length': formatShare(equalLengthWinRate) }),
    pairs: comparisons,
  };
}

function effectText({
  lengthEffect: { value, low, high },
  scale,
}: LengthControlledRanking): string {
  return (
    `length: ${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}) on the same scale for ` +
    `an answer that is much longer, more than ${Math.round(scale)} characters\n`
  );
}

async function writeRanking(
  context: CliContext,
  options: FlagValues,
  ranking: readonly Ranked[],
): Promise<void> {
  const out = textOf(options, 'out');
  if (out === undefined) return;
  const hasLength = ranking.some(({ equalLengthWinRate }) => equalLengthWinRate !== undefined);
  await writeCsv(
    out,
    [
      ...['rank', 'system', 'strength', 'low', 'high', 'win rate', 'pairs'],
      ...(hasLength ? ['win rate at equal length'] : []),
    ],
    ranking.map(({ name, strength, low, high, winRate, comparisons, equalLengthWinRate }, at) => [
      ...[at + 1, name, strength, low, high, winRate, comparisons],
      ...(equalLengthWinRate === undefined ? [] : [equalLengthWinRate]),
    ]),
  );
  context.print(`table   ${out}\n`);
}
