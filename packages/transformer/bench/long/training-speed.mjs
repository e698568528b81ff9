export const name = 'transformer-training-speed';
export const summary =
  'A training step of 25 million weights, 8 x 256 tokens, beside PyTorch: time and memory, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/training.ts', 'wasm', 'machine'],
];
export { codePaths } from './residency.mjs';
