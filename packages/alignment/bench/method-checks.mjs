import { sourceCommand } from './source-command.mjs';

/** The long check of scores by evidence, of any method. */
export const evidenceCheck = ({ method, epochs, numericCode }) => ({
  name: `${method}-evidence`,
  summary: 'Scores by evidence on clean, faulty and few data of EN-FR 3k, three seeds',
  command: sourceCommand(
    `packages/${method}/src/cli.ts`,
    ...['experiment', '--data', 'example:en-fr-3k', '--preset', 'quick', '--epochs', `${epochs}`],
    ...['--run-seeds', '1,2,3', '--only', 'evidence,poor-evidence', '--threads', '1'],
    ...['--quiet', '--json', '--out', `docs/experiments/${method}-evidence`],
  ),
  codePaths: [
    ...numericCode,
    'packages/alignment/src/experiment.ts',
    'packages/alignment/src/experiment',
  ],
});

/** The long check of what `check` foresees, of any method. */
export const predictionCheck = ({ method, numericCode }) => ({
  name: `${method}-prediction`,
  summary: 'Memory and time that check foresees beside a training, four sizes',
  command: sourceCommand(`packages/${method}/bench/prediction.ts`),
  codePaths: [
    ...numericCode,
    'packages/alignment/src/time-estimate.ts',
    `packages/${method}/src/memory-estimate.ts`,
  ],
});
