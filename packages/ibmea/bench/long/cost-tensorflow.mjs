import { numericCode } from '../numeric-code.mjs';

export const name = 'ibmea-cost-tensorflow';
export const summary =
  'CPU seconds and memory of an epoch at 30,000 entities on tensorflow beside lean PyTorch';
export const command = ['node', 'packages/ibmea/bench/cost.mjs', '3', 'tensorflow'];
export const codePaths = numericCode;
