import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'loginmea-scale-200k';
export const summary = 'Training in blocks and candidate search at 200,000 entities per side';
export const command = sourceCommand('packages/loginmea/bench/scale.ts', '200000', '2');
export const codePaths = numericCode;
