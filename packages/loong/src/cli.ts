import { type CliDefinition, runCli } from '@lab/core/cli';

const definition: CliDefinition = {
  name: 'loong',
  summary: 'Benchmark long contexts over many documents, and make such a benchmark of your own ones (Loong)',
  version: '0.0.0',
  commands: [
    {
      name: 'demo',
      summary: 'a result in seconds, on synthetic data',
      options: [],
      example: 'loong demo',
      run: async (context) => context.print('loong: nothing to show yet'),
    },
  ],
};

await runCli(definition);
