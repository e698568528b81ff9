const files = (folder, names) => names.map((name) => `packages/${folder}/src/${name}.ts`);
const folders = (folder, names) => names.map((name) => `packages/${folder}/src/${name}`);

/** Shared sources that decide the numbers of a training, whatever the method. */
export const sharedNumericCode = [
  ...files('alignment', [
    'baseline',
    'config-fields',
    'data',
    'evaluate',
    'evaluation-round',
    'features',
    'pseudo-seed-round',
    'selection',
    'train',
    'training-state',
  ]),
  ...files('graph', [
    'alignment',
    'csr',
    'features',
    'images',
    'label-propagation',
    'normalize',
    'propagation',
    'pseudo-seeds',
  ]),
  ...folders('graph', ['layers']),
  ...files('tensor', [
    'backpropagate',
    'engine',
    'node-inputs',
    'shared-module',
    'tape',
    'thread-count',
    'thread-pool',
    'wasm-backend',
    'webassembly',
  ]),
  ...folders('tensor', ['gradients', 'kernels', 'losses', 'nn', 'ops', 'optim']),
  ...files('core', ['portable-math', 'random', 'xoshiro', 'ziggurat']),
  ...files('metrics', ['ranking']),
];

/**
 * Sources that a training imports and that decide no number of it: readers of files, which give the
 * same records or an error, texts of errors, the choice of a backend, and counters.
 */
export const sharedOtherCode = [
  ...files('alignment', ['memory-expectation']),
  ...files('graph', [
    'alignment-folder',
    'attribute-table',
    'entity-table',
    'graph-builder',
    'image-arrays',
    'image-rows',
    'image-table',
    'int-list',
    'knowledge-graph',
    'link-table',
    'n-triples',
    'own-graphs',
    'own-images',
    'own-tables',
    'records',
    'remarks',
    'seed-file',
    'triple-table',
  ]),
  ...files('tensor', [
    'backend',
    'backend-candidates',
    'kernel-report',
    'memory',
    'scope',
    'self-test',
    'shape',
    'tfjs',
    'webgpu-backend',
    'webgpu-guard',
  ]),
  ...folders('tensor', ['io']),
  ...files('core', [
    'atomic-file',
    'byte-stream',
    'csv-file',
    'csv-scan',
    'defects',
    'errors',
    'file-problem',
    'format',
    'hash',
    'text-blocks',
    'text-file',
  ]),
];
