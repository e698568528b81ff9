import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'ibmea-scale';
export const summary =
  'Largest allocation and peak at 30,000, 100,000 and 300,000 entities per side';
export const command = sourceCommand('packages/ibmea/bench/scale.ts', '30000', '100000', '300000');
export const codePaths = numericCode;
