/** `demo`: a first number and a first picture within seconds. */
import { createRandom, formatPercent } from '@lab/core';
import type { CliCommand } from '@lab/core/cli';
import { splitLinks, syntheticPair } from '@lab/graph';
import type { AlignmentMethod } from '../method.js';
import { backendOptions } from './options.js';
import { chosenBackend, newRun, trainAndConclude, trainingConfig } from './train.js';

const ENTITIES = 800;

/** The verb `demo`. */
export const demoCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'demo',
  summary: 'Align two small generated graphs: a result in seconds.',
  options: [
    { flags: '--out <dir>', summary: 'folder of runs', default: 'runs' },
    { flags: '--seed <n>', summary: 'seed of all randomness', kind: 'integer', default: 1 },
    ...backendOptions,
  ],
  example: `${method.name} demo`,
  run: async (context, input) => {
    const seed = Number(input.options['seed']);
    const random = createRandom(seed).fork('demo');
    const generated = syntheticPair({ entities: ENTITIES, random });
    const data = { ...generated, name: 'two generated graphs' };
    const split = await splitLinks(data, { share: 0.3 });
    const options = { ...input.options, set: [...method.demoSettings] };
    const config = await trainingConfig(method, { ...input, options });
    const backend = await chosenBackend(context, input);
    const run = newRun(method, String(input.options['out']), 'demo');
    const conclusion = await trainAndConclude(
      method,
      context,
      { config, data: { data, split }, run },
      backend,
    );
    const { metrics, testPairs, baseline } = conclusion.summary;
    const chance = `chance ${formatPercent(1 / testPairs)}`;
    const untrained = baseline?.forward['hits@1'];
    const rivals =
      untrained === undefined
        ? chance
        : `seed propagation without training ${formatPercent(untrained)}, ${chance}`;
    context.printJson({
      ...conclusion.summary,
      run: conclusion.run,
      report: conclusion.reportPath,
    });
    context.print(
      `H@1 ${formatPercent(metrics!.forward['hits@1']!)}: for that share of ${testPairs} ` +
        `held-out entities the true counterpart is ranked first\n` +
        `on SYNTHETIC graphs, after ${config.config.training.epochs} epochs with ` +
        `${split.seeds.length / 2} known pairs; ${rivals}\n` +
        `picture: ${conclusion.reportPath}\nnext: ${method.name} check --data YOUR_FOLDER\n`,
    );
  },
});
