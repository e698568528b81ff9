export const name = 'transformer-serve';
export const summary = 'Eight answers of transformer serve together beside eight in a row, gate';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  'packages/transformer/bench/serve.ts',
];
export { codePaths } from './residency.mjs';
