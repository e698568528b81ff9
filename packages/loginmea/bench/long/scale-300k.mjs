import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'loginmea-scale-300k';
export const summary = 'Training in blocks and candidate search at 300,000 entities per side';
export const command = sourceCommand('packages/loginmea/bench/scale.ts', '300000', '3');
export const codePaths = numericCode;
