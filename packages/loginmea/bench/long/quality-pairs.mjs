import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'loginmea-quality-pairs';
export const summary =
  'Hits@1 and MRR on seven pairs, 60 epochs, beside lean PyTorch on the same seeds';
export const command = sourceCommand('packages/loginmea/bench/quality.ts', 'pairs');
export const codePaths = [...numericCode, 'packages/loginmea/bench/reference/lean_loginmea.py'];
