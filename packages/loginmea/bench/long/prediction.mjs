import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'loginmea-prediction';
export const summary = 'Memory and time that check foresees beside a training, four sizes';
export const command = sourceCommand('packages/loginmea/bench/prediction.ts');
export const codePaths = [
  ...numericCode,
  'packages/alignment/src/time-estimate.ts',
  'packages/loginmea/src/memory-estimate.ts',
];
