import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programArguments, requireCondition, runProcess, temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { fakeTensorflow } from '../../src/native/__fixtures__/fake-tensorflow.js';
import { readSetup, type SetupRecord } from '../../src/native/places.js';
import { frugalCompiler } from './frugal-compiler.js';

/** What `lab-tensor setup` has made on this machine: which TensorFlow and compiler there are. */
process.env['LAB_TENSOR_HOME'] = process.env['LAB_SETUP_HOME'];
const machine = readSetup();
const isThere = requireCondition('tensorflow', machine !== null);

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = programArguments();
const plain = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };

/** Runs the program with everything of a setup in `home`. */
const labTensor = (home: string, args: readonly string[], env: Record<string, string> = {}) =>
  runProcess(process.execPath, [...program, ...args], {
    cwd: root,
    env: { ...plain, LAB_TENSOR_ADDON: undefined, LAB_TENSOR_HOME: home, ...env },
  });

const isLinux = process.platform === 'linux';
/** What a whole build has, in the order of the names. */
const BUILD_FILES = [
  'lab_kernels.node',
  ...(isLinux ? ['lab_operations.node'] : []),
  'tfjs_binding.node',
];

const folderOf = (name: string): string => join(temporaryFolder(), name);

interface Doctor {
  readonly chosen: string;
  readonly backends: readonly { name: string; state: string; why?: string; needs?: string }[];
}

async function doctor(home: string): Promise<Doctor> {
  const { code, stdout } = await labTensor(home, ['doctor', '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Doctor;
}

const tensorflowOf = ({ backends }: Doctor) => backends.find(({ name }) => name === 'tensorflow');

describe('a setup that cannot be', () => {
  const aFile = (): string => {
    const path = folderOf('file');
    writeFileSync(path, 'in place of the folder, as root writes everywhere');
    return path;
  };
  const flags = () => ['--tensorflow', fakeTensorflow()];

  it.each([
    ['without the compiler', folderOf, () => [...flags(), '--compiler', '/no/g++'], 'no compiler'],
    ['on another folder', folderOf, () => ['--tensorflow', root], 'no TensorFlow to link with'],
    ['on a Python without one', folderOf, () => ['--python', '/no/python'], 'does not run'],
    ['for a GPU without CUDA', folderOf, () => [...flags(), '--gpu'], 'built without CUDA'],
    ['where nothing can be written', aFile, flags, 'cannot be written'],
  ])('%s says why and what to do, and wasm stays', async (_, place, given, message) => {
    const home = place('home');
    const { code, stdout, stderr } = await labTensor(home, ['setup', ...given()]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^error: tensor: .*$/m);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^ {2}help: \S.*$/m);
    expect(existsSync(join(home, 'setup.json'))).toBe(false);
    expect((await doctor(home)).chosen).toBe('wasm');
  });

  it('gives the same as one object', async () => {
    const given = ['setup', ...flags(), '--compiler', '/no/g++', '--json'];
    const { code, stdout } = await labTensor(folderOf('home'), given);
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'error',
      error: {
        code: 'LAB_BACKEND',
        message: expect.stringContaining('there is no compiler /no/g'),
        help: expect.stringContaining('--compiler PATH'),
      },
    });
  });
});

it('machine code that is named and does not load is a reason, and no crash', async () => {
  const { code, stdout } = await labTensor(folderOf('home'), ['doctor'], {
    LAB_TENSOR_ADDON: '/no/lab_kernels.node',
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^machine code +\/no\/lab_kernels.node, which LAB_TENSOR_ADDON names, does/m,
  );
  expect(stdout).toMatch(/^wasm +fails +\/no\/lab_kernels.node, which/m);
});

it('there is nothing to remove before a setup', async () => {
  const home = folderOf('home');
  const { code, stdout } = await labTensor(home, ['remove']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `nothing to remove in ${home}\n` });
  expect(tensorflowOf(await doctor(home))?.state).not.toBe('works');
});

const title = 'on a TensorFlow of this machine';

if (!isThere) it.skipIf(true)(`a setup ${title} (needs tensorflow)`, () => undefined);

describe.runIf(isThere)(`a setup ${title}`, () => {
  const { tensorflow, tensorflowVersion, compiler: real } = machine ?? ({} as SetupRecord);
  const compiler = frugalCompiler(real ?? 'g++');
  const flags = ['--tensorflow', tensorflow, '--compiler', compiler];
  const shared = folderOf('home');
  let first: Awaited<ReturnType<typeof labTensor>>;

  beforeAll(async () => {
    first = await labTensor(shared, ['setup', ...flags]);
  });

  /** A copy of what the one setup has made, for a test to change. */
  const ownHome = (): string => {
    const home = folderOf('home');
    cpSync(shared, home, { recursive: true, preserveTimestamps: true });
    return home;
  };

  const buildOf = (home: string): string => {
    const [key, ...others] = readdirSync(join(home, 'builds'));
    expect(others).toEqual([]);
    return join(home, 'builds', key as string);
  };

  const bench = (home: string, backend: string) => {
    const only = ['--only', '^small-add$', '--threads', '1', '--json'];
    return labTensor(home, ['bench', '--backend', backend, ...only]);
  };

  it('ends well and says what it did', () => {
    const { code, stdout, stderr } = first;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('error') });
    const folder = buildOf(shared);
    expect(stdout).toContain(`tensorflow ${tensorflowVersion}`);
    expect(stdout).toMatch(/^tfjs-node {2}\/.*tfjs-node$/m);
    expect(stdout).toMatch(/^compiler {3}\S.*\d+\.\d+/m);
    expect(stdout).toContain(`kernels    ${join(folder, 'lab_kernels.node')}\n`);
    expect(stdout).toContain(`binding    ${join(folder, 'tfjs_binding.node')}\n`);
    expect(stdout).toMatch(
      isLinux ? /^operation {2}\/.*lab_operations.node/m : /^operation {2}none$/m,
    );
    expect(stdout).toMatch(/^self-test {2}a product and a gather gradient are right$/m);
    expect(readdirSync(folder).sort()).toEqual(BUILD_FILES);
    expect(readdirSync(shared).sort()).toEqual(['builds', 'setup.json']);
  });

  it('is what doctor shows and chooses', async () => {
    const { code, stdout } = await labTensor(shared, ['doctor']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^chosen +tensorflow: first in the order/m);
    expect(stdout).toContain(` in ${tensorflow}, set up `);
    expect(stdout).toMatch(
      /^tensorflow +works +kernels as machine code, \d+ threads? on shared memory, memory of /m,
    );
    expect(stdout).toMatch(/^wasm +works +kernels as machine code, /m);
  });

  it('is done again without compiling', async () => {
    const home = ownHome();
    const path = join(buildOf(home), 'tfjs_binding.node');
    const { mtimeMs } = statSync(path);
    const { code, stdout, stderr } = await labTensor(home, ['setup', ...flags, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('compiling') });
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ status: 'success', tensorflow, tensorflowVersion, compiler, isReused: true },
      build: { binding: path, kernels: join(buildOf(home), 'lab_kernels.node') },
      backend: { name: 'tensorflow', simd: 'native' },
    });
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    const again = await labTensor(home, ['setup', ...flags]);
    expect(again.stdout).toMatch(/^compiler {3}not needed, as nothing has changed$/m);
  });

  it('is taken up by programs, without a word on compiling', async () => {
    const { code, stdout, stderr } = await bench(shared, 'auto');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).backend).toMatchObject({ name: 'tensorflow', simd: 'native' });
    expect(stderr).not.toContain('compiling');
  });

  it('for another Node is compiled anew by the next program, which says so', async () => {
    const home = ownHome();
    const folder = buildOf(home);
    renameSync(folder, join(home, 'builds', '0123456789abcdef')); // as if of another Node
    const { code, stdout, stderr } = await bench(home, 'tensorflow');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).backend).toMatchObject({ name: 'tensorflow', simd: 'native' });
    const said = stderr.split('\n').filter((line) => line.includes('compiling'));
    expect(said).toEqual([
      `warning: compiling the backend tensorflow for Node ${process.versions.node} and ` +
        `TensorFlow ${tensorflowVersion}; this takes about a minute, once`,
    ]);
    expect(readdirSync(folder).sort()).toEqual(BUILD_FILES);
    expect((await bench(home, 'tensorflow')).stderr).not.toContain('compiling');
  });

  it('whose record has another version is put right', async () => {
    const home = ownHome();
    const path = join(home, 'setup.json');
    const record = readFileSync(path, 'utf8');
    writeFileSync(path, record.replace(tensorflowVersion, '2.16.0'));
    const { chosen } = await doctor(home);
    expect(chosen).toBe('tensorflow');
    expect(readFileSync(path, 'utf8')).toBe(record);
  });

  it.each(['lab_kernels.node', 'tfjs_binding.node'])(
    'whose %s is broken says what to run, and wasm is chosen',
    async (name) => {
      const home = ownHome();
      writeFileSync(join(buildOf(home), name), 'no machine code');
      const found = await doctor(home);
      expect(found.chosen).toBe('wasm');
      expect(tensorflowOf(found)).toMatchObject({
        state: 'fails',
        why: expect.stringMatching(/^the build in \S+ does not load: /),
        needs: expect.stringContaining('lab-tensor remove, then lab-tensor setup'),
      });
    },
  );

  it('whose TensorFlow is gone says what to install, and wasm is chosen', async () => {
    const home = ownHome();
    const path = join(home, 'setup.json');
    const record = readFileSync(path, 'utf8');
    writeFileSync(path, record.replace(tensorflow, '/no/tensorflow'));
    const found = await doctor(home);
    expect(found.chosen).toBe('wasm');
    expect(tensorflowOf(found)?.needs).toContain('lab-tensor setup');
  });

  it('is taken away by remove, which leaves other files', async () => {
    const home = ownHome();
    writeFileSync(join(home, 'notes.txt'), 'mine');
    const { code, stdout } = await labTensor(home, ['remove', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ status: 'success', removed: true, folder: home });
    expect(readdirSync(home)).toEqual(['notes.txt']);
    const after = await labTensor(home, ['doctor']);
    expect(after.stdout).toMatch(/^tensorflow +not set up; lab-tensor setup compiles it/m);
    expect(after.stdout).toMatch(/^chosen +wasm: /m);
  });
});
