import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from '../workspace.mjs';

let dir;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-guards-'));
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  for (const file of ['.oxlintrc.json', 'turbo.json', 'tsconfig.base.json']) {
    cpSync(join(root, file), join(dir, file));
  }
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(path, text) {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text));
}

function run(name, ...args) {
  const env = { ...process.env, NO_COLOR: '1', TURBO_TELEMETRY_DISABLED: '1' };
  const result = spawnSync(join(root, 'node_modules', '.bin', name), args, {
    cwd: dir,
    encoding: 'utf8',
    env,
  });
  return { code: result.status, text: result.stdout + result.stderr };
}

/** One file for each thing that must not pass, and the rule that stops it. */
const forbidden = {
  'report/src/print.ts': ['no-console', 'console.log(1);'],
  'report/src/draw.ts': ['no-restricted-properties', 'export const x = Math.random();'],
  'report/src/clock.ts': ['no-restricted-properties', 'export const x = Date.now();'],
  'report/src/exit.ts': ['no-process-exit', 'process.exit(1);'],
  'report/src/network.ts': ['no-restricted-globals', "export const x = fetch('a');"],
  'report/src/level.ts': ['no-restricted-imports', "import '@lab/tensor';"],
  'core/src/level.ts': ['no-restricted-imports', "import '@lab/metrics';"],
  'core/src/parser.ts': ['no-restricted-imports', "import 'commander';"],
  'metrics/src/tensors.ts': ['no-restricted-imports', "import '@tensorflow/tfjs-core';"],
  'ibmea/src/method.ts': ['no-restricted-imports', "import '@lab/loginmea';"],
  'alignment/src/method.ts': ['no-restricted-imports', "import '@lab/ibmea';"],
  'graph/src/test-import.ts': ['no-restricted-imports', "import '../test/y.js';"],
  'graph/src/floating.ts': ['no-floating-promises', 'Promise.resolve(1);'],
  'graph/src/any.ts': ['no-explicit-any', 'export const x: any = 1;'],
  'graph/src/long-function.ts': [
    'max-lines-per-function',
    `export function f(): void {\n${'  void 0;\n'.repeat(61)}}`,
  ],
  'graph/src/long-file.ts': ['max-lines', 'void 0;\n'.repeat(501)],
  'graph/src/one.ts': ['no-cycle', "import { b } from './two.js';\nexport const a = b;"],
  'graph/src/two.ts': ['no-cycle', "import { a } from './one.js';\nexport const b = a;"],
};

const allowed = {
  'ibmea/src/index.ts': "import '@lab/core';\nimport '@lab/core/cli';\nimport '@lab/graph';",
  'core/src/cli/flags.ts': "import 'commander';\nconsole.log(1);",
  'core/src/run.ts': 'export const x = Date.now();',
  'report/src/x.test.ts': 'console.log(Math.random());',
};

test('lint stops what levels, purity and size forbid, and lets the rest pass', () => {
  for (const name of ['core', 'metrics', 'graph', 'report', 'alignment', 'ibmea']) {
    const tsconfig = { extends: '../../tsconfig.base.json', include: ['src'] };
    write(`packages/${name}/tsconfig.json`, tsconfig);
  }
  for (const [path, [, text]] of Object.entries(forbidden)) {
    write(`packages/${path}`, `${text}\nexport const end = 1;\n`);
  }
  for (const [path, text] of Object.entries(allowed)) {
    write(`packages/${path}`, `${text}\nexport const end = 1;\n`);
  }
  const { text } = run('oxlint', '--type-aware', '--deny-warnings', '--format=json', 'packages');
  const found = {};
  for (const { code, filename } of JSON.parse(text).diagnostics) {
    const path = filename.replace(/^packages./, '');
    (found[path] ??= []).push(/\(([\w-]+)\)/.exec(code)?.[1]);
  }
  for (const [path, [rule]] of Object.entries(forbidden)) expect(found[path], path).toContain(rule);
  for (const path of Object.keys(allowed)) expect(found[path], path).toBeUndefined();
});

test('boundaries: a method may not depend on a method, nor a block on a method', () => {
  write('package.json', { name: 'root', private: true, packageManager: 'pnpm@12.21.0' });
  write('pnpm-workspace.yaml', 'packages:\n  - packages/*\n');
  write('pnpm-lock.yaml', "lockfileVersion: '9.0'\n");
  const member = (name, level, dependencies) => {
    const ranges = Object.fromEntries(dependencies.map((other) => [other, 'workspace:^']));
    write(`packages/${name}/package.json`, { name, version: '0.0.0', dependencies: ranges });
    write(`packages/${name}/turbo.json`, { extends: ['//'], tags: [`level${level}`] });
    write(`packages/${name}/src/index.ts`, 'export {};\n');
  };
  spawnSync('git', ['init', '-q'], { cwd: dir });
  member('core', 0, []);
  member('first', 3, ['core']);
  member('second', 3, ['core']);
  expect(run('turbo', 'boundaries')).toMatchObject({ code: 0 });
  member('second', 3, ['first']);
  expect(run('turbo', 'boundaries').code).not.toBe(0);
  member('second', 3, []);
  member('core', 0, ['first']);
  expect(run('turbo', 'boundaries').text).toMatch(/level0|not allowed|tag/);
});
