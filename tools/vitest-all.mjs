// The tests of all packages as one run has them, `vitest run --config tools/vitest-all.mjs`: files
// of several packages are one project, `unit`, and share processes. Most of a run is loading
// modules, and so each process loads once what packages have in common. The tests of one package
// are run by the projects of vitest.config.ts, such as `unit:core`.
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import {
  globalSetup,
  isolatedPackages,
  machineEnv,
  maxWorkers,
  packageProjects,
  resolution,
  tiers,
  toolsProject,
} from '../vitest.package.ts';
import { members, root } from './workspace.mjs';

const folders = members('packages').map(({ folder }) => folder);
const shared = folders.filter((folder) => !isolatedPackages.has(folder));

/** Unit and golden tests of the packages whose files share processes. */
const unit = {
  root,
  ...resolution,
  test: {
    ...{ ...tiers.unit, name: 'unit', env: machineEnv, isolate: false },
    include: [...tiers.unit.include, ...tiers.golden.include].flatMap((pattern) =>
      shared.map((folder) => join('packages', folder, pattern)),
    ),
  },
};

/** The type tests of all packages: one run of the compiler. */
const types = {
  root,
  test: {
    ...{ name: 'types', include: [] },
    typecheck: {
      ...{ enabled: true, only: true, include: ['packages/*/test/*.test-d.ts'] },
      tsconfig: 'tools/tsconfig.types.json',
    },
  },
};

/** The other projects of a package, those that `unit` and `types` do not stand for. */
function otherProjects(folder) {
  return packageProjects({ name: folder, root: join(root, 'packages', folder) })
    .filter(({ test }) => isolatedPackages.has(folder) || !/^(unit|golden):/.test(test.name))
    .map(({ test: { typecheck: _, ...test }, ...project }) => ({ ...project, test }));
}

export default defineConfig({
  root,
  test: {
    ...{ globalSetup, maxWorkers },
    projects: [unit, types, ...folders.flatMap(otherProjects), toolsProject],
  },
});
