export const name = 'transformer-decode-qwen-tensorflow';
export const summary = 'Decoding with the shape qwen2.5-0.5b on tensorflow beside PyTorch, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/decode.ts', 'qwen2.5-0.5b', 'tensorflow'],
];
export { codePaths } from './residency.mjs';
