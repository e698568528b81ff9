export const name = 'weak-probe-probes-896';
export const summary =
  'Probes of 1,000 rows of 896 numbers beside scikit-learn: labels of the machines and time, gates';
export const command = [
  ...['node', '--conditions=@lab/source', '--import', 'tsx'],
  ...['packages/weak-probe/bench/probes.ts', '896', '3'],
];
export const codePaths = [
  ...['packages/weak-probe/src/probes.ts', 'packages/weak-probe/bench/probes.ts'],
  'packages/metrics/src/learn',
];
