import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fakeProgram, fakeTensorflow, HEADER, LIBRARIES } from './__fixtures__/fake-tensorflow.js';
import { findTensorflow, tensorflowIn } from './find-tensorflow.js';

/** A Python that answers with `folder`, or fails when it is null. */
function fakePython(folder: string | null, name = 'python3'): string {
  return fakeProgram(name, folder === null ? 'exit 1' : `echo '${folder}'`);
}

/** The error of `run`: its message and its help. */
function errorOf(run: () => unknown): { code: string; message: string; help: string } {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string; help: string };
  }
  throw new Error('An error was expected.');
}

const CUDA_INFO =
  "build_info = collections.OrderedDict([('cuda_version', '12'), ('is_cuda_build', True)])";

afterEach(() => vi.unstubAllEnvs());

describe('a folder', () => {
  test.each([
    ['tensorflow-2.21.0.dist-info', '2.21.0'],
    ['tensorflow_cpu-2.21.0.dist-info', '2.21.0'],
    ['tensorflow_rocm-2.16.2.dist-info', '2.16.2'],
    ['tensorflow-2.16.1+nv24.dist-info', '2.16.1'],
    ['tensorflow-2.17.0rc1.dist-info', '2.17.0'],
    ['tensorflow-3.0.0.dist-info', '3.0.0'],
  ])('beside %s is TensorFlow %s', (distInfo, version) => {
    const folder = fakeTensorflow(distInfo);
    const libraries = LIBRARIES.map((name) => join(folder, name));
    expect(tensorflowIn(folder, false)).toEqual({ folder, version, isCuda: false, libraries });
  });

  test.each([
    'tensorflow_estimator-2.15.0.dist-info',
    'tensorflow_io_gcs_filesystem-0.37.1.dist-info',
    'tensorflow-2.21.0.egg-info',
  ])('beside %s alone is none', (distInfo) => {
    const { code, message, help } = errorOf(() => tensorflowIn(fakeTensorflow(distInfo), false));
    expect(code).toBe('LAB_BACKEND');
    expect(message).toMatch(/is no TensorFlow to link with: .*tensorflow-\*\.dist-info is missing/);
    expect(help).toContain('pip install tensorflow-cpu');
  });

  test('is given relative to the working folder, too', () => {
    const folder = fakeTensorflow();
    const cwd = vi.spyOn(process, 'cwd').mockReturnValue(dirname(folder));
    expect(tensorflowIn('tensorflow', false).folder).toBe(folder);
    cwd.mockRestore();
  });

  test.each([...LIBRARIES, HEADER])('without %s is none, and says so', (name) => {
    const folder = fakeTensorflow();
    rmSync(join(folder, name));
    const { message, help } = errorOf(() => tensorflowIn(folder, false));
    expect(message).toContain(`${folder} is no TensorFlow to link with: ${join(folder, name)} is`);
    expect(help).toMatch(/^Name the folder "tensorflow" of a Python environment\. Run: pip/);
  });

  test('that does not exist is none', () => {
    const { code, message } = errorOf(() => tensorflowIn('/no/tensorflow', false));
    expect({ code, message }).toEqual({
      code: 'LAB_BACKEND',
      message: expect.stringContaining('/no/tensorflow is no TensorFlow to link with') as string,
    });
  });

  test.each(['tensorflow-2.15.1.dist-info', 'tensorflow-1.99.0.dist-info'])(
    'beside %s is too old',
    (distInfo) => {
      const { message, help } = errorOf(() => tensorflowIn(fakeTensorflow(distInfo), false));
      expect(message).toMatch(/TensorFlow \d\.\d+\.\d in .* is too old, 2\.16 is the oldest/);
      expect(help).toContain('pip install tensorflow-cpu');
    },
  );
});

describe('CUDA', () => {
  test('is what the build says', () => {
    expect(tensorflowIn(fakeTensorflow(undefined, CUDA_INFO), true).isCuda).toBe(true);
    expect(tensorflowIn(fakeTensorflow(undefined, CUDA_INFO), false).isCuda).toBe(true);
    expect(tensorflowIn(fakeTensorflow(undefined, null), false).isCuda).toBe(false);
  });

  test.each([["('is_cuda_build', False)"], [null]])('is missing with %s', (buildInfo) => {
    const folder = fakeTensorflow('tensorflow-2.18.0.dist-info', buildInfo);
    const { message, help } = errorOf(() => tensorflowIn(folder, true));
    expect(message).toBe(`tensor: TensorFlow 2.18.0 in ${folder} was built without CUDA.`);
    expect(help).toBe(
      'Run: pip install "tensorflow[and-cuda]", then lab-tensor setup --gpu again.',
    );
  });
});

describe('a Python', () => {
  test('is asked for its TensorFlow', () => {
    const folder = fakeTensorflow();
    const found = findTensorflow({ python: fakePython(folder), isGpu: false });
    expect(found.folder).toBe(folder);
  });

  test('without TensorFlow says what to install', () => {
    const python = fakePython('');
    const { code, message, help } = errorOf(() => findTensorflow({ python, isGpu: false }));
    expect(code).toBe('LAB_BACKEND');
    expect(message).toBe(`tensor: no TensorFlow was found: ${python} has none.`);
    expect(help).toMatch(/^Run: pip install tensorflow-cpu.*Or name its folder: --tensorflow DIR/);
  });

  test('that is not there, or fails, does not run', () => {
    for (const python of ['/no/python', fakePython(null)]) {
      const { message } = errorOf(() => findTensorflow({ python, isGpu: true }));
      expect(message).toBe(`tensor: no TensorFlow was found: ${python} does not run.`);
    }
  });

  test('is not needed where a folder is given', () => {
    const folder = fakeTensorflow();
    expect(findTensorflow({ folder, python: '/no/python', isGpu: false }).folder).toBe(folder);
  });
});

describe('without a name', () => {
  test('no Python at all is an error that lists what was tried', () => {
    vi.stubEnv('PATH', temporaryFolder());
    vi.stubEnv('VIRTUAL_ENV', undefined);
    const { message } = errorOf(() => findTensorflow({ isGpu: false }));
    expect(message).toBe(
      'tensor: no TensorFlow was found: python3 does not run, python does not run.',
    );
  });

  test('python3 comes before python, and the one that has a TensorFlow is taken', () => {
    const [bare, folder] = [fakePython(''), fakeTensorflow()];
    const other = fakePython(folder, 'python');
    vi.stubEnv('VIRTUAL_ENV', undefined);
    vi.stubEnv('PATH', [dirname(bare), dirname(other), '/usr/bin', '/bin'].join(':'));
    expect(findTensorflow({ isGpu: false }).folder).toBe(folder);
  });

  test('the active environment comes first', () => {
    const [environment, folder] = [temporaryFolder(), fakeTensorflow()];
    mkdirSync(join(environment, 'bin'));
    fakeProgram('python', `echo '${folder}'`, join(environment, 'bin'));
    vi.stubEnv('VIRTUAL_ENV', environment);
    vi.stubEnv('PATH', dirname(fakePython(fakeTensorflow('tensorflow-2.17.0.dist-info'))));
    expect(findTensorflow({ isGpu: false })).toMatchObject({ folder, version: '2.21.0' });
  });
});
