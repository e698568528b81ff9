/** `demo`: a network and its baselines on SIMULATED judges, within seconds. */
import { join } from 'node:path';
import { formatPercent, formatShare, resolveConfig } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { widedeepConfig } from '../config.js';
import { evaluateJudgements } from '../evaluate.js';
import { byUncertainty } from '../human-assist.js';
import { judgePairs } from '../judge-pairs.js';
import { readJudgedSamples } from '../read-run.js';
import {
  createSimulatedClient,
  type Simulation,
  simulatedSamples,
  simulationDefaults,
} from '../simulate.js';
import type { ComparedNetwork } from '../report/compare-figures.js';
import { writeReport, writeSamplePage } from '../report/write-report.js';
import type { Sample } from '../sample.js';
import { writeEvaluation } from './conclude.js';
import { writeComparison } from './report.js';

const pairs = 200;
const presets = ['single', 'mec+bpc', 'widedeep'] as const;
/** Scores of many judges are seldom equal: what is nearer is a tie. */
const tau = 0.5;

/** The verb `demo`. */
export const demoCommand: CliCommand = {
  name: 'demo',
  summary: 'Judge 200 simulated pairs by simulated judges: a result in seconds, no model.',
  options: [
    { flags: '--out <dir>', summary: 'folder of runs', default: 'runs/widedeep-demo' },
    { flags: '--seed <n>', summary: 'of the simulation', kind: 'integer', default: 1 },
  ],
  example: 'widedeep-eval demo',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { options }: CliInput): Promise<void> {
  const simulation = { ...simulationDefaults, seed: Number(options['seed']) };
  const out = String(options['out']);
  const samples = simulatedSamples(pairs, simulation);
  const networks: ComparedNetwork[] = [];
  for (const preset of presets) {
    networks.push(await judged(context, join(out, preset), { preset, simulation, samples }));
  }
  const rows = networks.map(rowOf);
  const [single, , wide] = rows;
  context.print(
    `kappa ${formatShare(wide!.kappa)} with ${simulation.width} roles and a discussion, ` +
      `${formatShare(single!.kappa)} with one judge: agreement with the truth beyond chance,\n` +
      `on ${pairs} SIMULATED pairs and judges (noise, bias by role, preference for the first)\n`,
  );
  context.print(
    table(
      rows.map(({ network, accuracy, kappa, conflicts, calls }) => ({
        network,
        accuracy: formatShare(accuracy),
        kappa: formatShare(kappa),
        'order changes verdict': conflicts === null ? 'n/a' : formatPercent(conflicts),
        calls,
      })),
    ),
  );
  const pages = await pagesOf(out, networks, samples);
  context.print(
    `picture: ${pages.run}\n         ${pages.pair}\n         ${pages.comparison}\n` +
      'next: widedeep-eval check --data YOUR_PAIRS.csv\n',
  );
  const facts = { simulated: true, report: pages.run, pages };
  context.printJson({ run: out, status: 'success', metrics: rows, ...facts });
}

function rowOf({ name, evaluation: { agreement, network } }: ComparedNetwork) {
  const { accuracy, kappa } = agreement!.overall;
  return {
    network: name,
    accuracy: accuracy.value,
    kappa: kappa.value,
    conflicts: network.position.conflictRate,
    calls: network.calls,
  };
}

/** The networks side by side, the widest of them, and the pair that it is least certain of. */
async function pagesOf(
  out: string,
  networks: readonly ComparedNetwork[],
  samples: readonly Sample[],
) {
  const { dir, samples: found, evaluation } = networks.at(-1)!;
  const [leastCertain] = byUncertainty(found);
  return {
    comparison: writeComparison(join(out, 'comparison'), networks).report,
    run: await writeReport(dir, { samples: found, evaluation }, samples),
    pair: await writeSamplePage(dir, leastCertain!.id, samples),
  };
}

interface DemoNetwork {
  readonly preset: string;
  readonly simulation: Simulation;
  readonly samples: readonly Sample[];
}

async function judged(
  context: CliContext,
  out: string,
  { preset, simulation, samples }: DemoNetwork,
): Promise<ComparedNetwork> {
  const { config, mode } = resolveConfig(widedeepConfig, {
    preset,
    set: [`aggregation.tau=${tau}`, 'evaluation.resamples=1000'],
  });
  const client = createSimulatedClient(simulation);
  const facts = { label: `SIMULATED, ${preset}`, mode, preset, command: ['widedeep-eval', 'demo'] };
  await judgePairs({ samples, client, config, out, facts, ...again(context) });
  const found = await readJudgedSamples(out);
  const evaluation = evaluateJudgements(found, { seed: 1, resamples: 1000, runTau: tau });
  writeEvaluation(out, evaluation);
  return { name: preset, dir: out, samples: found, evaluation };
}

/** A demo that was run before is read and not refused. */
const again = ({ signal }: CliContext) => ({ resume: true, signal });
