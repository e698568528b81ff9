export const name = 'transformer-differential';
export const summary =
  'Random checkpoints of every family beside transformers: the same numbers, or the field named';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/transformer/bench/differential.ts', '60', '1'],
];
export const codePaths = [
  ...['differential.ts', 'differential.py', 'draw_configs.py'].map(
    (name) => `packages/transformer/bench/${name}`,
  ),
  'packages/transformer/src',
  'packages/tensor/src',
];
