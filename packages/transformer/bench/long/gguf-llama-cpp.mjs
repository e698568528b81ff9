export const name = 'transformer-gguf-llama-cpp';
export const summary =
  'GGUF files of every family and type beside llama.cpp: logits, greedy tokens, ids of texts';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  'packages/transformer/bench/gguf-llama-cpp.ts',
];
export const codePaths = [
  ...['gguf-llama-cpp.ts', 'gguf-tokenizers.ts', 'node-llama-cpp.ts'].map(
    (name) => `packages/transformer/bench/${name}`,
  ),
  'packages/transformer/src',
  'packages/tensor/src',
];
