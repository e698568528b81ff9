/** `demo`: a network and its baselines on SIMULATED judges, within seconds. */
import { join } from 'node:path';
import { formatPercent, formatShare, resolveConfig } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { widedeepConfig } from '../config.js';
import { evaluateJudgements } from '../evaluate.js';
import { judgePairs } from '../judge-pairs.js';
import { readJudgedSamples } from '../read-run.js';
import {
  createSimulatedClient,
  type Simulation,
  simulatedSamples,
  simulationDefaults,
} from '../simulate.js';
import { writeReport } from '../report/write-report.js';
import { writeEvaluation } from './conclude.js';

const pairs = 200;
const networks = ['single', 'mec+bpc', 'widedeep'] as const;
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
  const rows = [];
  let report: string | null = null;
  for (const preset of networks) {
    const { row, page } = await judged(context, join(out, preset), { preset, simulation });
    rows.push(row);
    report = page ?? report;
  }
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
  context.print(`picture: ${report ?? 'none'}\nnext: widedeep-eval check --data YOUR_PAIRS.csv\n`);
  context.printJson({ run: out, status: 'success', metrics: rows, simulated: true, report });
}

async function judged(
  context: CliContext,
  out: string,
  { preset, simulation }: { readonly preset: string; readonly simulation: Simulation },
) {
  const { config, mode } = resolveConfig(widedeepConfig, {
    preset,
    set: [`aggregation.tau=${tau}`, 'evaluation.resamples=1000'],
  });
  const client = createSimulatedClient(simulation);
  const samples = simulatedSamples(pairs, simulation);
  const facts = { label: `SIMULATED, ${preset}`, mode, preset, command: ['widedeep-eval', 'demo'] };
  await judgePairs({ samples, client, config, out: out, facts, ...again(context) });
  const found = await readJudgedSamples(out);
  const evaluation = evaluateJudgements(found, { seed: 1, resamples: 1000, runTau: tau });
  writeEvaluation(out, evaluation);
  const page = await writeReport(out, { samples: found, evaluation }, samples);
  const { overall } = evaluation.agreement!;
  const { position, calls } = evaluation.network;
  const row = {
    network: preset,
    accuracy: overall.accuracy.value,
    kappa: overall.kappa.value,
    conflicts: position.conflictRate,
    calls,
  };
  return { row, page };
}

/** A demo that was run before is read and not refused. */
const again = ({ signal }: CliContext) => ({ resume: true, signal });
