export const name = 'loong-assembly';
export const summary =
  'Prompts of 1,600 questions of the real lengths (176 M tokens) assembled for a window of 128K';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/loong/bench/assembly.ts', '1600', '128000'],
];
export const codePaths = [
  ...['assemble', 'blocks', 'length', 'library', 'tokens'].map(
    (file) => `packages/loong/src/${file}.ts`,
  ),
  'packages/loong/bench/assembly.ts',
];
