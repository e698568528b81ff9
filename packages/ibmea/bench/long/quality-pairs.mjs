import { numericCode } from '../numeric-code.mjs';
import { sourceCommand } from '../source-command.mjs';

export const name = 'ibmea-quality-pairs';
export const summary =
  'Hits@1 and MRR of mode official on six pairs, 100 epochs, beside lean PyTorch on the same seeds';
export const command = sourceCommand('quality.ts', 'pairs');
export const codePaths = [...numericCode, 'packages/ibmea/bench/reference/lean_ibmea.py'];
