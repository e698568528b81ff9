export const name = 'transformer-decode-gpt2-tensorflow';
export const summary = 'Decoding with the shape gpt2-small on tensorflow beside PyTorch, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/decode.ts', 'gpt2-small', 'tensorflow'],
];
export { codePaths } from './residency.mjs';
