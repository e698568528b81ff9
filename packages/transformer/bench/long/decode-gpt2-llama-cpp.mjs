export const name = 'transformer-decode-gpt2-llama-cpp';
export const summary =
  'Decoding an F16 file with the shape gpt2-small on wasm with machine code beside llama.cpp';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/decode-llama-cpp.ts', 'gpt2-small', 'wasm'],
];
export { codePaths } from './residency.mjs';
