export const name = 'sahara-scan-qwen-tensorflow';
export const summary =
  'Scores of all heads on the shape qwen2.5-0.5b, tensorflow, beside a loop in PyTorch, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/sahara/bench/scan.ts', 'qwen2.5-0.5b', 'tensorflow'],
];
export const codePaths = [
  ...['scan.ts', 'scan.py'].map((file) => `packages/sahara/bench/${file}`),
  'packages/sahara/src',
  'packages/transformer/src',
  'packages/tensor/src',
];
