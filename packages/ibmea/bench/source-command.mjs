/** The command that runs a script of this folder from sources, as a long check declares it. */
export const sourceCommand = (script, ...values) => [
  'node',
  '--conditions=@lab/source',
  '--import',
  'tsx',
  `packages/ibmea/bench/${script}`,
  ...values,
];
