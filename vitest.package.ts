import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Packages are taken from their sources. */
const conditions = ['@lab/source', 'module', 'node', 'import', 'default'];

/** How every project finds packages. */
export const resolution = { resolve: { conditions }, ssr: { resolve: { conditions } } };

/** Vitest leaves a core to itself: on two cores, files would run one after the other. */
export const maxWorkers = '100%';

/**
 * For what hangs, and nothing else: on a machine that is busy with others, a test of seconds takes
 * minutes. One that is given up works on in its process, amid the tests that follow.
 */
const limits = { testTimeout: 600_000, hookTimeout: 600_000 };

/** The kinds of tests. */
export const tiers = {
  unit: { include: ['src/**/*.test.ts', 'test/property/**/*.test.ts'], ...limits },
  backends: { include: ['test/backends/**/*.test.ts'], ...limits },
  golden: { include: ['test/golden/**/*.test.ts'], ...limits },
  e2e: { include: ['test/e2e/**/*.test.ts'], ...limits },
};

/**
 * Packages whose tests need a process for each file: they start, replace and break backends.
 * Elsewhere the files share processes, as most of a run is loading the same modules.
 */
export const isolatedPackages: ReadonlySet<string> = new Set(['tensor']);

/**
 * Tests choose their backends themselves: nothing that was set up on this machine is taken unasked.
 * Suites that need it find it by `LAB_SETUP_HOME`.
 */
export const machineEnv = {
  LAB_TENSOR_ADDON: 'none',
  LAB_TENSOR_HOME: join(tmpdir(), 'lab-tensor-of-no-test'),
  LAB_SETUP_HOME: process.env['LAB_TENSOR_HOME'] ?? '',
};

/**
 * Arguments of Node that run the command of a package: its build, as users have it, where
 * `npm test` has just made one (`LAB_BUILT=1`); else its sources, at a second more a start.
 */
function programArguments(root: string): string[] {
  if (process.env['LAB_BUILT'] === '1') return [join(root, 'dist/cli.js')];
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return ['--conditions=@lab/source', '--import', tsx, join(root, 'src/cli.ts')];
}

/**
 * The test projects that every package has: `unit` (with property and types), `backends`, `golden`,
 * `e2e`. Tests of the last one find the command of their package by `LAB_PROGRAM`, a JSON list of
 * arguments of Node.
 *
 * @param at - where the package stands, for a run from the root: the projects are then called
 * `unit:<name>` and so on, because Vitest reads no projects inside projects.
 */
export function packageProjects(at?: {
  name: string;
  root: string;
}): TestProjectInlineConfiguration[] {
  const root = at?.root ?? process.cwd();
  const program = { LAB_PROGRAM: JSON.stringify(programArguments(root)) };
  return Object.entries(tiers).map(([tier, test]) => ({
    root,
    ...resolution,
    test: {
      ...test,
      env: tier === 'e2e' ? { ...machineEnv, ...program } : machineEnv,
      name: at ? `${tier}:${at.name}` : tier,
      isolate: isolatedPackages.has(basename(root)),
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

/** What a run of Vitest begins and ends with. */
export const globalSetup = fileURLToPath(new URL('tools/temporary-folder.mjs', import.meta.url));

/** The tests of what stands in `tools`. */
export const toolsProject: TestProjectInlineConfiguration = {
  root: fileURLToPath(new URL('tools', import.meta.url)),
  ...resolution,
  test: {
    ...{ name: 'tools', include: ['test/**/*.test.mjs'], ...limits },
  },
};

export default defineConfig({ test: { globalSetup, maxWorkers, projects: packageProjects() } });
