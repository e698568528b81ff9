import { numericCode } from '../numeric-code.mjs';
import { sourceCommand } from '../source-command.mjs';

export const name = 'ibmea-scale';
export const summary =
  'Largest allocation and peak at 30,000, 100,000 and 300,000 entities per side';
export const command = sourceCommand('scale.ts', '30000', '100000', '300000');
export const codePaths = numericCode;
