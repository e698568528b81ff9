import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'loginmea-quality-3k-tensorflow';
export const summary =
  'Hits@1 and MRR of mode corrected on SRPRS EN-FR 3k on tensorflow, three seeds';
export const command = [
  ...sourceCommand('packages/loginmea/bench/quality.ts', '3k'),
  ...['corrected', '--backend', 'tensorflow'],
];
export const codePaths = numericCode;
