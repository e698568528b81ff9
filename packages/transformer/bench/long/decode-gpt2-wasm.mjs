export const name = 'transformer-decode-gpt2-wasm';
export const summary =
  'Decoding with the shape gpt2-small on wasm without machine code beside PyTorch, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/decode.ts', 'gpt2-small', 'wasm', 'portable'],
];
export { codePaths } from './residency.mjs';
