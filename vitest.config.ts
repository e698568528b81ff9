import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { globalSetup, maxWorkers, packageProjects, toolsProject } from './vitest.package.js';

const packages = new URL('packages/', import.meta.url);
const names = readdirSync(packages).filter((name) =>
  existsSync(new URL(`${name}/vitest.config.ts`, packages)),
);

export default defineConfig({
  test: {
    globalSetup,
    maxWorkers,
    projects: [
      ...names.flatMap((name) =>
        packageProjects({ name, root: fileURLToPath(new URL(name, packages)) }),
      ),
      toolsProject,
    ],
    coverage: {
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/__fixtures__/**'],
    },
  },
});
