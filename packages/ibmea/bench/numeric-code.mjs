/** Sources that decide the numbers of a training; a long check is stale when one of them changes. */
export const numericCode = [
  ...[
    'bottleneck',
    'config',
    'data',
    'encoders',
    'evaluate',
    'fusion',
    'image-mask',
    'losses',
    'model',
    'noise',
    'presets',
    'pseudo-seeds',
    'step',
    'train',
  ].map((name) => `packages/ibmea/src/${name}.ts`),
  ...['features.ts', 'csr.ts', 'pseudo-seeds.ts', 'alignment.ts', 'layers'].map(
    (name) => `packages/graph/src/${name}`,
  ),
  ...['losses', 'ops', 'optim', 'nn', 'kernels'].map((name) => `packages/tensor/src/${name}`),
];
