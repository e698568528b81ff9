import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const conditions = ['@lab/source', 'module', 'node', 'import', 'default'];

const tiers = {
  unit: {
    include: ['src/**/*.test.ts', 'test/property/**/*.test.ts'],
    testTimeout: 20_000,
  },
  backends: { include: ['test/backends/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
  golden: { include: ['test/golden/**/*.test.ts'], testTimeout: 60_000 },
  e2e: {
    include: ['test/e2e/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
};

/**
 * Packages whose unit tests need a process for each file: they start, replace and break backends.
 * Elsewhere the files share processes, as most of a run is loading the same modules.
 */
const isolatedPackages = new Set(['tensor']);

/**
 * Tests choose their backends themselves: nothing that was set up on this machine is taken unasked.
 * Suites that need it find it by `LAB_SETUP_HOME`.
 */
const machineEnv = {
  LAB_TENSOR_ADDON: 'none',
  LAB_TENSOR_HOME: join(tmpdir(), 'lab-tensor-of-no-test'),
  LAB_SETUP_HOME: process.env['LAB_TENSOR_HOME'] ?? '',
};

/**
 * The test projects that every package has: `unit` (with property and types), `backends`, `golden`,
 * `e2e`.
 *
 * @param at - where the package stands, for a run from the root: the projects are then called
 * `unit:<name>` and so on, because Vitest reads no projects inside projects.
 */
export function packageProjects(at?: {
  name: string;
  root: string;
}): TestProjectInlineConfiguration[] {
  const root = at?.root ?? process.cwd();
  return Object.entries(tiers).map(([tier, test]) => ({
    root,
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      ...test,
      env: machineEnv,
      name: at ? `${tier}:${at.name}` : tier,
      ...(tier === 'unit' ? { isolate: isolatedPackages.has(basename(root)) } : {}),
      ...(tier === 'unit' && hasTypeTests(root)
        ? { typecheck: { enabled: true, include: ['test/*.test-d.ts'] } }
        : {}),
    },
  }));
}

function hasTypeTests(root: string): boolean {
  const folder = join(root, 'test');
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.test-d.ts'));
}

export default defineConfig({ test: { projects: packageProjects() } });
