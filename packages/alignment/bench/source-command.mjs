/** The command that runs a script from sources, as a long check declares it. */
export const sourceCommand = (script, ...values) => [
  'node',
  '--conditions=@lab/source',
  '--import',
  'tsx',
  script,
  ...values,
];
