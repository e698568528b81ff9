/** `config`: the settings that a run would use. */
import { type CliCommand, configOptions, explainTable, readConfigInput } from '@lab/core/cli';
import { weakProbeConfig } from '../config.js';

/** The verb `config`. */
export const configCommand: CliCommand = {
  name: 'config',
  summary: 'Print the resolved settings.',
  options: [
    ...configOptions(weakProbeConfig),
    { flags: '--explain', summary: 'with the origin and the meaning of each value' },
  ],
  example: 'weak-probe config --preset llama-2-chat --explain',
  run: async (context, { options }) => {
    const resolved = await readConfigInput(weakProbeConfig, options);
    const { config, mode, preset, origins } = resolved;
    const found = { config, mode, preset, origins };
    context.printJson({ run: null, status: 'success', metrics: null, ...found });
    context.print(
      options['explain'] === true
        ? explainTable(weakProbeConfig, resolved)
        : `${JSON.stringify(config, null, 2)}\n`,
    );
  },
};
