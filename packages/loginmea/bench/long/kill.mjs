import { numericCode } from '../numeric-code.mjs';

export const name = 'loginmea-kill';
export const summary =
  'Training and search at 100,000 entities per side, killed with -9 and resumed';
export const command = ['node', 'packages/loginmea/bench/kill.mjs'];
export const codePaths = [...numericCode, 'packages/alignment/src/checkpoint.ts'];
