export const name = 'transformer-prefill-gpt2-tensorflow';
export const summary =
  'Prefill and hidden states of the shape gpt2-small on tensorflow beside PyTorch, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/prefill.ts', 'gpt2-small', 'tensorflow'],
];
export { codePaths } from './residency.mjs';
