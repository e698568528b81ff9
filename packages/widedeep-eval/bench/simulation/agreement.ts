/**
 * SIMULATED judge networks of width 1 to 8 and depth 1 to 3 through the package (prompts, answers,
 * parsing, aggregation) beside exact numbers of `independent.ts`. Prints one JSON line; ends with 1
 * where more cells than chance explains lie beyond two standard errors, or one beyond four.
 *
 * `tsx agreement.ts [PAIRS] [FIGURE.svg]`; cells that are done are kept in runs/long, by the
 * digest of the code that made them.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { appendJsonLine, hashFile, readJsonLines, resolveConfig, sha256 } from '@lab/core';
import { cohenKappa } from '@lab/metrics';
import { linePlot, standaloneSvg } from '@lab/report';
import { widedeepConfig } from '../../src/config.js';
import { builtInFamilies } from '../../src/families/built-in.js';
import { judgeSample } from '../../src/judge-sample.js';
import { createSimulatedClient, simulatedSamples } from '../../src/simulate.js';
import { exactAgreement, type Regime } from './independent.js';

const pairs = Number(process.argv[2] ?? 400);
const figurePath = process.argv[3];
const trials = 200_000;
const tau = 0.35;
const common = { gap: 1, tieShare: 0.2, positionBias: 0.8, weight: 0.5 };
/** Judges that differ by chance alone, and judges that differ by what they look at. */
const regimes: readonly Regime[] = [
  { ...common, name: 'noise', noise: 3, roleBiases: [0] },
  { ...common, name: 'bias', noise: 1.2, roleBiases: [1.6, 0.6, -0.4, 0.2, -1.2, 0.4, -0.9, -0.3] },
];

interface Cell {
  readonly regime: string;
  readonly width: number;
  readonly depth: number;
  readonly accuracy: number;
  readonly kappa: number;
  readonly exactAccuracy: number;
  readonly exactKappa: number;
  /** Distances from the exact numbers in standard errors of ours. */
  readonly accuracyErrors: number;
  readonly kappaErrors: number;
}

async function measure(regime: Regime, width: number, depth: number): Promise<Cell> {
  const set = ['roles.min=1', `network.layers=${depth}`, `aggregation.tau=${tau}`];
  const { config } = resolveConfig(widedeepConfig, { set });
  const simulation = { ...regime, seed: 7, width };
  const client = createSimulatedClient(simulation);
  const samples = simulatedSamples(pairs, simulation);
  const verdicts: string[] = [];
  for (const sample of samples) {
    const { verdict } = await judgeSample(sample, { config, families: builtInFamilies, client });
    verdicts.push(verdict ?? 'none');
  }
  const gold = samples.map((sample) => sample.gold!);
  const accuracy = gold.filter((one, at) => one === verdicts[at]).length / pairs;
  const kappa = cohenKappa(gold, verdicts);
  const exact = exactAgreement(regime, { width, depth, tau }, trials);
  const error = Math.sqrt((exact.accuracy * (1 - exact.accuracy)) / pairs);
  return {
    ...{ regime: regime.name, width, depth, accuracy, kappa },
    exactAccuracy: exact.accuracy,
    exactKappa: exact.kappa,
    accuracyErrors: (accuracy - exact.accuracy) / error,
    kappaErrors: (kappa - exact.kappa) / (error / (1 - exact.chance)),
  };
}

/** The digest of the code that cells come from: the package without its tests, and this folder. */
async function codeDigest(): Promise<string> {
  const folders = ['../../src/', './'].map((at) => fileURLToPath(new URL(at, import.meta.url)));
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .sort()
      .map((name) => join(folder, name)),
  );
  const digests = await Promise.all(files.map(async (file) => (await hashFile(file)).sha256));
  return sha256(digests.join(' ')).slice(0, 12);
}

const kept = join('runs', 'long', `widedeep-simulation-${pairs}-${await codeDigest()}.jsonl`);
mkdirSync(dirname(kept), { recursive: true });
const cells = readJsonLines(kept).rows as Cell[];
for (const regime of regimes) {
  for (let depth = 1; depth <= 3; depth += 1) {
    for (let width = 1; width <= 8; width += 1) {
      const isDone = cells.some(
        (cell) => cell.regime === regime.name && cell.width === width && cell.depth === depth,
      );
      if (isDone) continue;
      const cell = await measure(regime, width, depth);
      appendJsonLine(kept, cell);
      cells.push(cell);
      process.stderr.write(`${regime.name} width ${width} depth ${depth}\n`);
    }
  }
}

if (figurePath !== undefined) {
  const words = { noise: 'noise', bias: 'bias by angle' } as const;
  const series = regimes.flatMap(({ name }) =>
    [1, 2, 3].map((depth) => ({
      name: `${words[name as keyof typeof words]}, ${depth} ${depth === 1 ? 'layer' : 'layers'}`,
      points: cells
        .filter((cell) => cell.regime === name && cell.depth === depth)
        .sort((a, b) => a.width - b.width)
        .map(({ width, exactKappa }) => ({ x: width, y: exactKappa })),
    })),
  );
  const figure = linePlot({
    title: 'When width helps and when depth: SIMULATED judges',
    x: { label: 'judges of a layer' },
    y: { label: 'kappa with the truth' },
    series,
  });
  writeFileSync(figurePath, standaloneSvg(figure));
}
const errors = cells.flatMap(({ accuracyErrors, kappaErrors }) => [accuracyErrors, kappaErrors]);
const beyondTwo = errors.filter((value) => Math.abs(value) > 2).length;
const largest = Math.max(...errors.map(Math.abs));
/** Share of a normal distribution beyond two standard errors: of 96 comparisons 4.4. */
const beyondTwoShare = 0.0455;
const beyondTwoByChance = Number((beyondTwoShare * errors.length).toFixed(1));
// Accuracy and kappa of a cell go together, so that their number varies more than that of
// independent ones.
const isWithin = beyondTwo <= 12 && largest < 4;
console.log(
  JSON.stringify({
    ...{ simulated: true, pairs, cells: cells.length, comparisons: errors.length },
    ...{ beyondTwo, beyondTwoByChance, largest, isWithin },
  }),
);
if (!isWithin) process.exitCode = 1;
