import { numericCode } from '../numeric-code.mjs';

export const name = 'loginmea-cost-tensorflow';
export const summary =
  'Seconds and memory of an epoch at 30,000 entities on tensorflow beside lean PyTorch';
export const command = ['node', 'packages/loginmea/bench/cost.mjs', '3', 'tensorflow'];
export const codePaths = [...numericCode, 'packages/loginmea/bench/reference/lean_loginmea.py'];
