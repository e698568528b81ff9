export const name = 'alignment-comparison';
export const summary = 'IBMEA, LoginMEA and the baseline on EN-FR 3k: few seeds, faulty rows';
export const command = [
  'node',
  '--conditions=@lab/source',
  '--import',
  'tsx',
  'examples/alignment-compare/study.ts',
];
export const codePaths = [
  'packages/alignment/src',
  'packages/ibmea/src',
  'packages/loginmea/src',
  'packages/graph/src',
  'packages/tensor/src',
  'examples/alignment-compare/study.ts',
  'examples/alignment-compare/contestants.ts',
  'examples/alignment-compare/pairs-section.ts',
];
