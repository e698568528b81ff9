export const name = 'transformer-trained';
export const summary =
  'Small checkpoints of every family, trained and written: the same logits in transformers';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  'packages/transformer/bench/trained.ts',
];
export { codePaths } from './residency.mjs';
