import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'ibmea-quality-pairs';
export const summary =
  'Hits@1 and MRR of mode official on six pairs, 100 epochs, beside lean PyTorch on the same seeds';
export const command = sourceCommand('packages/ibmea/bench/quality.ts', 'pairs');
export const codePaths = [...numericCode, 'packages/ibmea/bench/reference/lean_ibmea.py'];
