export const name = 'sahara-scan-qwen-wasm';
export const summary =
  'Scores of all heads on the shape qwen2.5-0.5b, wasm, beside a loop in PyTorch, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/sahara/bench/scan.ts', 'qwen2.5-0.5b', 'wasm'],
];
export const codePaths = [
  ...['scan.ts', 'scan.py'].map((file) => `packages/sahara/bench/${file}`),
  'packages/sahara/src',
  'packages/transformer/src',
  'packages/tensor/src',
];
