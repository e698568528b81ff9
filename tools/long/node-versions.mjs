import { packages } from '../workspace.mjs';

export const name = 'node-versions';
export const summary = 'All tests on Node 22, 24 and 26 beside the one that developers use';
export const command = ['node', 'tools/node-versions.mjs'];
export const codePaths = [
  ...packages().flatMap(({ folder }) => [
    `packages/${folder}/src`,
    `packages/${folder}/package.json`,
  ]),
  'tools/node-versions.mjs',
  'tools/test.mjs',
  'pnpm-lock.yaml',
];
