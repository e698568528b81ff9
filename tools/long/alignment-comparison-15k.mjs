import { codePaths as common } from './alignment-comparison.mjs';

export const name = 'alignment-comparison-15k';
export const summary = 'IBMEA, LoginMEA and the baseline on seven pairs of 15,000 entities a side';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  'examples/alignment-compare/pairs.ts',
];
export const codePaths = [...common, 'examples/alignment-compare/pairs.ts'];
