import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'loginmea-evidence';
export const summary = 'Scores by evidence on clean, faulty and few data of EN-FR 3k, three seeds';
export const command = sourceCommand(
  'packages/loginmea/src/cli.ts',
  ...['experiment', '--data', 'example:en-fr-3k', '--preset', 'quick', '--epochs', '20'],
  ...[
    '--run-seeds',
    '1,2,3',
    '--only',
    'evidence,poor-evidence',
    '--threads',
    '1',
    '--quiet',
    '--json',
  ],
  ...['--out', 'docs/experiments/loginmea-evidence'],
);
export const codePaths = [
  ...numericCode,
  'packages/alignment/src/experiment.ts',
  'packages/alignment/src/experiment',
];
