import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'loginmea-blocks';
export const summary = 'Training in blocks beside one on the whole graph, EN-FR 15k, same seed';
export const command = sourceCommand('packages/loginmea/bench/blocks.ts');
export const codePaths = numericCode;
