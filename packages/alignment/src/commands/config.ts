/** `config`: the settings that a training would use. */
import { type CliCommand, configOptions, explainTable } from '@lab/core/cli';
import type { AlignmentMethod } from '../method.js';
import { epochsOption, presetFlag } from './options.js';
import { trainingConfig } from './train.js';

/** The verb `config`. */
export const configCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'config',
  summary: 'Print the resolved settings.',
  options: [
    ...configOptions(method.config),
    epochsOption(method),
    { flags: '--explain', summary: 'with the origin and the meaning of each value' },
  ],
  example: `${method.name} config${presetFlag(method)} --explain`,
  run: async (context, input) => {
    const resolved = await trainingConfig(method, input);
    const { config, mode, preset, origins } = resolved;
    context.printJson({
      run: null,
      status: 'success',
      metrics: null,
      config,
      mode,
      preset,
      origins,
    });
    context.print(
      input.options['explain'] === true
        ? explainTable(method.config, resolved)
        : `${JSON.stringify(config, null, 2)}\n`,
    );
  },
});
