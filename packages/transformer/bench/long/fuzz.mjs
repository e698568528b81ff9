export const name = 'transformer-fuzz';
export const summary =
  '100,000 changed files for each of five readers, 1 s and 256 MB a case: no crash, no wild read';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/fuzz.ts', '100000'],
];
const own = 'packages/transformer/src';
export const codePaths = [
  ...['packages/transformer/bench/fuzz.ts', 'packages/transformer/test/fuzz'],
  ...['packages/tensor/src/io/safetensors.ts', 'packages/tensor/src/io/safetensors-header.ts'],
  ...['packages/tensor/src/io/file-source.ts', 'packages/tensor/src/io/dtype.ts'],
  ...[
    'assert-architecture.ts',
    'config-fields.ts',
    'families',
    'json-file.ts',
    'rotary-rules.ts',
    'gguf',
  ].map((name) => `${own}/${name}`),
  ...['model-config.ts', 't5/t5-config.ts', 'weights/checkpoint.ts', 'tokenizer.ts'].map(
    (name) => `${own}/${name}`,
  ),
  ...['tokenizer-file.ts', 'tokenizer-steps.ts', 'character-map.ts', 'chat-template.ts'].map(
    (name) => `${own}/${name}`,
  ),
];
