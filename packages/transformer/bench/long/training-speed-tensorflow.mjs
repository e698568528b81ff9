export const name = 'transformer-training-speed-tensorflow';
export const summary =
  'A training step of 25 million weights on tensorflow beside PyTorch: time and memory, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/training.ts', 'tensorflow'],
];
export { codePaths } from './residency.mjs';
