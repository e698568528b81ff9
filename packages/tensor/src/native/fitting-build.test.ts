import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { silentLogger } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeCompiler, fakeNode, fakeTensorflow } from './__fixtures__/fake-tensorflow.js';
import { build, buildKey, findBuild } from './build.js';
import { fittingBuild } from './fitting-build.js';
import { readSetup, type SetupRecord, writeSetup } from './places.js';

const remarks: string[] = [];
const logger = { ...silentLogger, warn: (text: string) => void remarks.push(text) };
const { execPath } = process;
let setup: SetupRecord;

/** How often a compiler has run. */
function calls(): number {
  const log = join(dirname(setup.compiler), 'log');
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0;
}

/** The kernels, the binding; on Linux the operation, compiled and linked. */
const CALLS = process.platform === 'linux' ? 4 : 2;

beforeEach(() => {
  remarks.length = 0;
  process.execPath = fakeNode(true);
  vi.stubEnv('LAB_TENSOR_HOME', join(temporaryFolder(), 'home'));
  setup = {
    ...{ tensorflow: fakeTensorflow(), tensorflowVersion: '2.21.0', isCuda: false },
    ...{ tfjsNode: temporaryFolder(), compiler: fakeCompiler(), date: '2026-11-27' },
  };
  writeSetup(setup);
});

afterEach(() => {
  process.execPath = execPath;
  vi.unstubAllEnvs();
});

test('is compiled once, after a word on it', async () => {
  const made = await fittingBuild(setup, logger);
  expect(made).toEqual(findBuild(setup));
  expect(calls()).toBe(CALLS);
  expect(remarks).toEqual([
    `compiling the backend tensorflow for Node ${process.versions.node} and TensorFlow 2.21.0; ` +
      'this takes about a minute, once',
  ]);
  expect(await fittingBuild(setup, logger)).toEqual(made);
  expect({ calls: calls(), remarks: remarks.length }).toEqual({ calls: CALLS, remarks: 1 });
});

test('after an update of TensorFlow in its folder is another, and the record says so', async () => {
  const before = await fittingBuild(setup, logger);
  const packages = dirname(setup.tensorflow);
  const [old, later] = ['tensorflow_cpu-2.21.0.dist-info', 'tensorflow_cpu-2.22.0.dist-info'];
  renameSync(join(packages, old), join(packages, later));
  const after = await fittingBuild(setup, logger);
  expect(after.kernels).not.toBe(before.kernels);
  expect(remarks[1]).toContain('TensorFlow 2.22.0');
  expect(readSetup()).toEqual({ ...setup, tensorflowVersion: '2.22.0' });
  expect(findBuild(readSetup())).toEqual(after);
  expect(calls()).toBe(2 * CALLS);
});

test('a record with a wrong version is put right without compiling', async () => {
  await fittingBuild(setup, logger);
  writeSetup({ ...setup, tensorflowVersion: '2.20.0' });
  await fittingBuild(readSetup() as SetupRecord, logger);
  expect(readSetup()).toEqual(setup);
  expect(calls()).toBe(CALLS);
});

test('without the TensorFlow it says what to install, and compiles nothing', async () => {
  await fittingBuild(setup, logger);
  rmSync(setup.tensorflow, { recursive: true });
  await expect(fittingBuild(setup, logger)).rejects.toMatchObject({
    ...{ code: 'LAB_BACKEND', help: expect.stringContaining('lab-tensor setup') as string },
  });
  expect(calls()).toBe(CALLS);
});

test('made twice at the same time is one whole build', async () => {
  const both = await Promise.all([1, 2].map(() => build(setup, setup.compiler)));
  expect(both).toEqual([findBuild(setup), findBuild(setup)]);
  expect(readdirSync(dirname(dirname(both[0]!.kernels)))).toEqual([buildKey(setup)]);
});
