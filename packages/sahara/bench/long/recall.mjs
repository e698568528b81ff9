export const name = 'sahara-recall';
export const summary = 'Recall@5 of screening on the planted models and the organism, gate .8';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/sahara/bench/recall.ts'],
];
export const codePaths = [
  'packages/sahara/bench/recall.ts',
  'packages/sahara/src',
  'packages/transformer/src',
  'packages/transformer/models',
];
