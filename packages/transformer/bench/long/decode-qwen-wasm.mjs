export const name = 'transformer-decode-qwen-wasm';
export const summary =
  'Decoding with the shape qwen2.5-0.5b on wasm without machine code beside PyTorch, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/decode.ts', 'qwen2.5-0.5b', 'wasm', 'portable'],
];
export { codePaths } from './residency.mjs';
