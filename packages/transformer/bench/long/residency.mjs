export const name = 'transformer-residency';
export const summary = 'Time and memory of passes with weights resident, on the host, streamed';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  'packages/transformer/bench/residency.ts',
];
export const codePaths = [
  'packages/transformer/bench',
  'packages/transformer/src',
  'packages/tensor/kernels',
  'packages/tensor/src',
];
