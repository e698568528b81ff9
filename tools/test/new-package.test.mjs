import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from '../workspace.mjs';

const tool = join(root, 'tools', 'new-package.mjs');
const entries = [
  'bin/weak-probe.js',
  'README.md',
  'CHANGELOG.md',
  'test',
  'bench',
  'package.json',
  'tsup.config.ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'vitest.config.ts',
  'turbo.json',
];
let dir;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-new-package-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const make = (...args) =>
  spawnSync(process.execPath, [tool, ...args, '--into', dir], { encoding: 'utf8' });
const at = (...path) => join(dir, 'packages', ...path);

test('a method gets the entries of every package and names itself throughout', () => {
  const made = make('weak-probe', '--level', '3', '--description', 'Read hidden states');
  expect(made.stderr).toBe('');
  for (const name of entries) {
    expect(existsSync(at('weak-probe', name)), name).toBe(true);
  }
  const manifest = JSON.parse(readFileSync(at('weak-probe', 'package.json'), 'utf8'));
  expect(manifest).toMatchObject({
    name: '@lab/weak-probe',
    bin: { 'weak-probe': './bin/weak-probe.js' },
  });
  expect(readFileSync(at('weak-probe', 'src', 'index.ts'), 'utf8')).toContain('weakProbeConfig');
  expect(existsSync(join(dir, '.changeset', 'weak-probe-first.md'))).toBe(true);
});

test('its sources compile against core, and are formatted', () => {
  make('weak-probe', '--level', '3', '--description', 'Read hidden states');
  for (const file of ['tsconfig.base.json', 'vitest.package.ts', 'biome.json', '.gitignore']) {
    cpSync(join(root, file), join(dir, file));
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  symlinkSync(join(root, 'packages', 'ibmea', 'node_modules'), at('weak-probe', 'node_modules'));
  execFileSync('git', ['init', '-q'], { cwd: dir });
  const run = (name, ...args) =>
    spawnSync(join(root, 'node_modules', '.bin', name), args, { cwd: dir, encoding: 'utf8' });
  expect(run('tsc', '-p', 'packages/weak-probe').stdout).toBe('');
  const format = run('biome', 'format', 'packages');
  expect(`${format.stdout}${format.stderr}`).not.toContain('would have printed');
});

test('a building block has no command', () => {
  make('sketch', '--level', '1', '--description', 'Sketches of sets');
  expect(existsSync(at('sketch', 'bin'))).toBe(false);
  expect(JSON.parse(readFileSync(at('sketch', 'turbo.json'), 'utf8')).tags).toEqual(['level1']);
});

test('a wrong name, level or missing description exits with code 2, and nothing is written', () => {
  for (const args of [
    ['WeakProbe', '--description', 'x'],
    ['weak-probe', '--level', '5', '--description', 'x'],
    ['weak-probe'],
  ]) {
    const { status, stderr } = make(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: .*\n {2}help: /);
  }
  expect(existsSync(at())).toBe(false);
});
