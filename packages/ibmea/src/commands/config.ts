/** `ibmea config`: the settings that a training would use. */
import { type CliCommand, configOptions, explainTable } from '@lab/core/cli';
import { ibmeaConfig } from '../config.js';
import { epochsOption } from './options.js';
import { trainingConfig } from './train.js';

/** The verb `config`. */
export const configCommand: CliCommand = {
  name: 'config',
  summary: 'Print the resolved settings.',
  options: [
    ...configOptions(ibmeaConfig),
    epochsOption,
    { flags: '--explain', summary: 'with the origin and the meaning of each value' },
  ],
  example: 'ibmea config --preset fb15k-db15k --mode official --explain',
  run: async (context, input) => {
    const resolved = await trainingConfig(input);
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
        ? explainTable(ibmeaConfig, resolved)
        : `${JSON.stringify(config, null, 2)}\n`,
    );
  },
};
