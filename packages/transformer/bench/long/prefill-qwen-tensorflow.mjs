export const name = 'transformer-prefill-qwen-tensorflow';
export const summary =
  'Prefill and hidden states of the shape qwen2.5-0.5b on tensorflow beside PyTorch, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/prefill.ts', 'qwen2.5-0.5b', 'tensorflow'],
];
export { codePaths } from './residency.mjs';
