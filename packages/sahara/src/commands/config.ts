/** `config`: the settings that a scan would use. */
import { type CliCommand, configOptions, explainTable, readConfigInput } from '@lab/core/cli';
import { saharaConfig } from '../config.js';

/** The verb `config`. */
export const configCommand: CliCommand = {
  name: 'config',
  summary: 'Print the resolved settings.',
  options: [
    ...configOptions(saharaConfig),
    { flags: '--explain', summary: 'with the origin and the meaning of each value' },
  ],
  example: 'sahara config --preset scaling --explain',
  run: async (context, { options }) => {
    const resolved = await readConfigInput(saharaConfig, options);
    const { config, mode, preset, origins } = resolved;
    const found = { config, mode, preset, origins };
    context.printJson({ run: null, status: 'success', metrics: null, ...found });
    context.print(
      options['explain'] === true
        ? explainTable(saharaConfig, resolved)
        : `${JSON.stringify(config, null, 2)}\n`,
    );
  },
};
