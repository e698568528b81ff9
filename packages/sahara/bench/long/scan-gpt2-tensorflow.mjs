export const name = 'sahara-scan-gpt2-tensorflow';
export const summary =
  'Scores of all heads on the shape gpt2-small, tensorflow, beside a loop in PyTorch, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/sahara/bench/scan.ts', 'gpt2-small', 'tensorflow'],
];
export const codePaths = [
  ...['scan.ts', 'scan.py'].map((file) => `packages/sahara/bench/${file}`),
  'packages/sahara/src',
  'packages/transformer/src',
  'packages/tensor/src',
];
