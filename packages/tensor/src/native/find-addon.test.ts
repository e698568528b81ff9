import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findAddon, levelOf } from './find-addon.js';

/** What this machine is said to have. */
const machine = vi.hoisted(() => ({ flags: '', folder: '' }));

vi.mock('node:module', async (original) => {
  const real = await original<typeof import('node:module')>();
  const createRequire = (from: string | URL) => {
    const require = real.createRequire(from);
    const resolve = (name: string) => {
      if (machine.folder === '') throw new Error(`Cannot find module '${name}'`);
      return join(machine.folder, 'package.json');
    };
    return Object.assign((name: string) => require(name) as unknown, { resolve });
  };
  return { ...real, createRequire };
});

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const readFileSync = ((path: string, encoding?: BufferEncoding) =>
    path === '/proc/cpuinfo'
      ? `processor\t: 0\nflags\t\t: ${machine.flags}\n`
      : real.readFileSync(path, encoding)) as typeof real.readFileSync;
  return { ...real, readFileSync };
});

const V3 = ['avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe'];
const V4 = [...V3, 'avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'];

/** The package for this platform, whose addons are modules in JavaScript, or broken ones. */
function installPackage(addons: Readonly<Record<string, string>>): void {
  machine.folder = temporaryFolder();
  for (const [name, text] of Object.entries(addons)) {
    writeFileSync(join(machine.folder, name), text);
  }
}

/** An addon is any module that can be required: this one is in JavaScript. */
function moduleAt(): string {
  const path = join(temporaryFolder(), 'addon.cjs');
  writeFileSync(path, 'module.exports = { names: () => ["mine"] };');
  return path;
}

beforeEach(() => {
  Object.assign(machine, { flags: V3.join(' '), folder: '' });
  vi.stubEnv('LAB_TENSOR_ADDON', '');
  vi.stubEnv('LAB_TENSOR_HOME', join(temporaryFolder(), 'none'));
});

afterEach(() => vi.unstubAllEnvs());

describe('the level of a processor', () => {
  test.each([
    [V4, 'x86-64-v4'],
    [V3, 'x86-64-v3'],
    [[...V4].reverse(), 'x86-64-v4'],
    [['sse2', ...V3, 'erms'], 'x86-64-v3'],
    [V4.filter((flag) => flag !== 'avx512vl'), 'x86-64-v3'],
    [V3.filter((flag) => flag !== 'movbe'), null],
    [V4.filter((flag) => flag !== 'fma'), null],
    [[], null],
  ])('with %j is %j', (flags, level) => {
    expect(levelOf(flags)).toBe(level);
  });
});

describe('LAB_TENSOR_ADDON', () => {
  test('none is none, whatever there is', () => {
    vi.stubEnv('LAB_TENSOR_ADDON', 'none');
    installPackage({ 'lab_kernels.x86-64-v3.node': 'broken' });
    expect(findAddon()).toEqual({ addon: null, why: 'LAB_TENSOR_ADDON says none' });
  });

  test('with a path is that addon', () => {
    const path = moduleAt();
    vi.stubEnv('LAB_TENSOR_ADDON', path);
    const { addon, why } = findAddon();
    expect({ names: addon?.names(), why }).toEqual({ names: ['mine'], why: path });
  });

  test.each(['/no/addon.node', ''])('that does not load is an error (%s)', (named) => {
    const path = named === '' ? join(temporaryFolder(), 'broken.node') : named;
    if (named === '') writeFileSync(path, 'no machine code');
    vi.stubEnv('LAB_TENSOR_ADDON', path);
    let caught: unknown;
    try {
      findAddon();
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({
      code: 'LAB_BACKEND',
      message: expect.stringContaining(`tensor: ${path}, which LAB_TENSOR_ADDON names`) as string,
      help: expect.stringContaining('to none for wasm alone') as string,
    });
  });
});

describe('without a name', () => {
  test('and without a package and a setup there is none', () => {
    const why = 'no package with machine code for this platform is installed';
    expect(findAddon()).toEqual({ addon: null, why });
  });

  test('and with a package without an addon of the level there is none', () => {
    installPackage({ 'lab_kernels.x86-64-v4.node': 'broken' });
    expect(findAddon()).toMatchObject({ addon: null, why: expect.stringContaining('no package') });
  });

  test('a processor below every level has none of the package', () => {
    machine.flags = 'sse2';
    installPackage({ 'lab_kernels.x86-64-v3.node': 'broken' });
    expect(findAddon()).toMatchObject({ addon: null, why: expect.stringContaining('no package') });
  });

  test('an addon of the package that does not load is passed over, with the reason', () => {
    installPackage({ 'lab_kernels.x86-64-v3.node': 'no machine code' });
    const { addon, why } = findAddon();
    expect(addon).toBeNull();
    expect(why).toContain(`${join(machine.folder, 'lab_kernels.x86-64-v3.node')} does not load: `);
  });
});
