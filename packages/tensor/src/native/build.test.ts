import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeCompiler, fakeNode } from './__fixtures__/fake-tensorflow.js';
import { build, buildKey, findBuild } from './build.js';
import { kernelSources } from './compile.js';
import type { SetupRecord } from './places.js';

/** What the mocked modules answer instead of the truth. */
const changed = vi.hoisted(() => ({ source: '', version: '1.0.0', processor: 'one' }));

vi.mock('../version.js', () => ({
  get version() {
    return changed.version;
  },
}));

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  cpus: () => [{ model: changed.processor }],
}));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const readFileSync = ((path: string, encoding?: BufferEncoding) => {
    const isChanged = changed.source !== '' && path.endsWith(changed.source);
    return isChanged ? Buffer.from('another text') : real.readFileSync(path, encoding);
  }) as typeof real.readFileSync;
  return { ...real, readFileSync };
});

const SETUP: SetupRecord = {
  tensorflow: '/python/tensorflow',
  tensorflowVersion: '2.21.0',
  isCuda: false,
  tfjsNode: '/project/node_modules/@tensorflow/tfjs-node',
  compiler: 'g++',
  date: '2026-11-27',
};

const isLinux = process.platform === 'linux';
const WHOLE = ['lab_kernels.node', 'tfjs_binding.node', 'lab_operations.node'];

const { execPath } = process;
const versions = Object.getOwnPropertyDescriptor(process, 'versions')!;
let home = '';

beforeEach(() => {
  home = join(temporaryFolder(), 'home');
  vi.stubEnv('LAB_TENSOR_HOME', home);
});

afterEach(() => {
  Object.assign(changed, { source: '', version: '1.0.0', processor: 'one' });
  Object.defineProperty(process, 'versions', versions);
  process.execPath = execPath;
  vi.unstubAllEnvs();
});

function useNode(node: string): void {
  Object.defineProperty(process, 'versions', { ...versions, value: { ...process.versions, node } });
}

describe('the key of a build', () => {
  test('is the same for the same, on another day too', () => {
    expect(buildKey(SETUP)).toMatch(/^[0-9a-f]{16}$/);
    expect(buildKey({ ...SETUP, date: '2027-01-01' })).toBe(buildKey(SETUP));
    expect(buildKey(null)).toBe(buildKey(null));
  });

  test('is another for another TensorFlow, tfjs-node or compiler, and for none', () => {
    const keys = [
      SETUP,
      null,
      { ...SETUP, tensorflow: '/other/tensorflow' },
      { ...SETUP, tensorflowVersion: '2.22.0' },
      { ...SETUP, tfjsNode: '/other/tfjs-node' },
      { ...SETUP, compiler: 'clang++' },
      { ...SETUP, nvcc: '/cuda/bin/nvcc' },
    ].map(buildKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each(['softmax.c', 'vector.h', join('native', 'tensorflow.cc'), join('native', 'addon.c')])(
    'is another when %s changes',
    (source) => {
      const before = buildKey(SETUP);
      changed.source = join(kernelSources(), source);
      expect(existsSync(changed.source)).toBe(true);
      expect(buildKey(SETUP)).not.toBe(before);
    },
  );

  test('is another when a CUDA body changes and there is a compiler for it', () => {
    const withCuda = { ...SETUP, nvcc: '/cuda/bin/nvcc' };
    const before = [SETUP, withCuda].map(buildKey);
    changed.source = join(kernelSources(), 'cuda', 'csr.cu');
    expect(existsSync(changed.source)).toBe(true);
    expect(buildKey(SETUP)).toBe(before[0]);
    expect(buildKey(withCuda)).not.toBe(before[1]);
  });

  test('is another for another Node, package or processor', () => {
    const keys = [buildKey(SETUP)];
    useNode('99.0.0');
    keys.push(buildKey(SETUP));
    changed.version = '1.0.1';
    keys.push(buildKey(SETUP));
    changed.processor = 'two';
    keys.push(buildKey(SETUP));
    expect(new Set(keys).size).toBe(4);
  });
});

describe('a build is found', () => {
  const make = (setup: SetupRecord | null, ...names: string[]): string => {
    const folder = join(home, 'builds', buildKey(setup));
    mkdirSync(folder, { recursive: true });
    for (const name of names) writeFileSync(join(folder, name), '');
    return folder;
  };

  test('where all of it is there', () => {
    const folder = make(SETUP, ...WHOLE);
    expect(findBuild(SETUP)).toEqual({
      kernels: join(folder, 'lab_kernels.node'),
      binding: join(folder, 'tfjs_binding.node'),
      operations: isLinux ? join(folder, 'lab_operations.node') : null,
    });
    const alone = make(null, 'lab_kernels.node');
    const kernels = join(alone, 'lab_kernels.node');
    expect(findBuild(null)).toEqual({ kernels, binding: null, operations: null });
  });

  test.each([[[]], [['lab_kernels.node']], [['tfjs_binding.node']]])(
    'not where there is %j alone',
    (names) => {
      make(SETUP, ...names);
      expect(findBuild(SETUP)).toBeNull();
    },
  );

  test('not for another Node', () => {
    make(SETUP, ...WHOLE);
    useNode('99.0.0');
    expect(findBuild(SETUP)).toBeNull();
  });
});

describe('a build that cannot be made', () => {
  const errorOf = async (setup: SetupRecord | null, compiler: string) => {
    const error = await build(setup, compiler).catch((caught: unknown) => caught);
    return error as { code: string; message: string; help: string };
  };

  test.each(['/no/g++', '/no/compiler', temporaryFolder()])(
    'for want of a compiler %s says what to install, and leaves nothing',
    async (compiler) => {
      const { code, message, help } = await errorOf(null, compiler);
      expect(code).toBe('LAB_BACKEND');
      expect(message).toMatch(/there is no compiler \S+ on this machine/);
      expect(help).toContain('--compiler PATH');
      expect(readdirSync(join(home, 'builds'))).toEqual([]);
    },
  );

  test('because the compiler fails says which one to take, and leaves nothing', async () => {
    const { code, message, help } = await errorOf(null, process.execPath);
    expect(code).toBe('LAB_BACKEND');
    expect(message).toMatch(/could not compile our kernels: \S/);
    expect(help).toContain('Use GCC 12 or Clang 16, or newer');
    expect(readdirSync(join(home, 'builds'))).toEqual([]);
  });

  test('for want of the headers of Node says where to have them', async () => {
    process.execPath = fakeNode(false);
    const { code, message, help } = await errorOf(null, fakeCompiler());
    expect({ code, message }).toEqual({
      code: 'LAB_BACKEND',
      message: expect.stringMatching(/the headers of Node v\S+ are not in .*include/) as string,
    });
    expect(help).toContain('Install Node with its headers');
    expect(readdirSync(join(home, 'builds'))).toEqual([]);
  });

  test('as the folder cannot be written names another one', async () => {
    writeFileSync(home, 'a file'); // in place of the folder, as root writes everywhere
    const { code, message, help } = await errorOf(null, 'g++');
    expect({ code, message }).toEqual({
      code: 'LAB_BACKEND',
      message: `tensor: builds cannot be written to ${join(home, 'builds')}.`,
    });
    expect(help).toContain('LAB_TENSOR_HOME=');
  });
});
