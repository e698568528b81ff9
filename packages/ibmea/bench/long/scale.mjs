import { numericCode } from '../numeric-code.mjs';

export const name = 'ibmea-scale';
export const summary =
  'Largest allocation and peak at 30,000, 100,000 and 300,000 entities per side';
export const command = [
  'node',
  '--conditions=@lab/source',
  '--import',
  'tsx',
  'packages/ibmea/bench/scale.ts',
  '30000',
  '100000',
  '300000',
];
export const codePaths = numericCode;
