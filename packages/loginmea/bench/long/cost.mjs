import { numericCode } from '../numeric-code.mjs';

export const name = 'loginmea-cost';
export const summary = 'Seconds and memory of an epoch at 30,000 entities beside lean PyTorch';
export const command = ['node', 'packages/loginmea/bench/cost.mjs', '3'];
export const codePaths = [...numericCode, 'packages/loginmea/bench/reference/lean_loginmea.py'];
