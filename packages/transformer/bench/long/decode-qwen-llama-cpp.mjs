export const name = 'transformer-decode-qwen-llama-cpp';
export const summary =
  'Decoding an F16 file with the shape qwen2.5-0.5b on wasm with machine code beside llama.cpp';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/decode-llama-cpp.ts', 'qwen2.5-0.5b', 'wasm'],
];
export { codePaths } from './residency.mjs';
