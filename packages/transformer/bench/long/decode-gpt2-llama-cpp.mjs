export const name = 'transformer-decode-gpt2-llama-cpp';
export const summary = 'Decoding an F16 file with the shape gpt2-small beside llama.cpp';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/decode-llama-cpp.ts', 'gpt2-small'],
];
export { codePaths } from './residency.mjs';
