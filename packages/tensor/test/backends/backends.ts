/**
 * The backends that the suite runs on: a later one joins by one entry of {@link BACKENDS}.
 */
import { requireCondition } from '@lab/core/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { selectBackend } from '../../src/index.js';
import { findBuild } from '../../src/native/build.js';
import { readSetup } from '../../src/native/places.js';
import { forcePlainSimd, useAddon } from '../../src/wasm-backend.js';
import { hasGraphicsDriver, requestAdapter, type WebgpuPackage } from '../../src/webgpu-backend.js';

/** One backend under test. */
export interface BackendUnderTest {
  readonly name: string;
  /** Makes it the backend of all tensors. */
  start(): Promise<unknown>;
  /** Undoes what `start` changed for others. */
  stop?(): void;
  /** Whether it takes sizes of some 100,000 values in reasonable time. */
  readonly takesLargeSizes: boolean;
  /** Steps of the leak test. */
  readonly leakSteps: number;
  /** What the machine must have, and whether it has it; else the suite is skipped by that name. */
  readonly needs?: { readonly what: string; readonly isThere: boolean };
}

/** Whether Dawn finds an adapter of any kind; the driver of a software one may be too old. */
async function hasAdapter(): Promise<boolean> {
  if (!hasGraphicsDriver()) return false;
  const name = 'webgpu';
  return (await requestAdapter((await import(name)) as WebgpuPackage)) !== null;
}

/** What `lab-tensor setup` has made on this machine; tests see it when they ask for it. */
process.env['LAB_TENSOR_HOME'] = process.env['LAB_SETUP_HOME'];
const setup = readSetup();
const tensorflowNeeds = {
  what: 'tensorflow',
  isThere: requireCondition('tensorflow', setup !== null),
};

/** wasm with the kernels as machine code, those of the setup. */
async function startMachineCode(threads: number): Promise<void> {
  process.env['LAB_TENSOR_ADDON'] = findBuild(setup)?.kernels ?? '';
  const { simd } = await selectBackend('wasm', { threads });
  if (simd !== 'native') throw new Error(`machine code was asked for, got ${simd}`);
}

function stopMachineCode(): void {
  process.env['LAB_TENSOR_ADDON'] = 'none';
  useAddon(null);
}

const OPERATION_SWITCH = 'LAB_TENSOR_OPERATIONS';

/** TensorFlow on the CPU as it would be on a GPU: our kernels are an operation of it. */
async function startOperation(): Promise<void> {
  process.env[OPERATION_SWITCH] = '1';
  await selectBackend('tensorflow');
}

const webgpuNeeds = { what: 'webgpu', isThere: requireCondition('webgpu', await hasAdapter()) };

async function startWebgpu(): Promise<void> {
  process.env['LAB_WEBGPU_SOFTWARE'] = '1';
  await selectBackend('webgpu');
}

async function startPlainWasm(): Promise<void> {
  forcePlainSimd(true);
  const { simd } = await selectBackend('wasm', { threads: 1 });
  if (simd !== 'plain') throw new Error(`plain SIMD was asked for, got ${simd}`);
}

/** All backends that can be had on a machine of the project. */
export const BACKENDS: readonly BackendUnderTest[] = [
  {
    name: 'wasm, 1 thread',
    start: () => selectBackend('wasm', { threads: 1 }),
    ...{ takesLargeSizes: true, leakSteps: 1000 },
  },
  {
    name: 'wasm, 3 threads',
    start: () => selectBackend('wasm', { threads: 3 }),
    ...{ takesLargeSizes: true, leakSteps: 1000 },
  },
  {
    name: 'wasm, plain SIMD',
    start: startPlainWasm,
    stop: () => forcePlainSimd(false),
    ...{ takesLargeSizes: true, leakSteps: 100 },
  },
  {
    name: 'wasm, machine code, 1 thread',
    start: () => startMachineCode(1),
    stop: stopMachineCode,
    ...{ takesLargeSizes: true, leakSteps: 1000, needs: tensorflowNeeds },
  },
  {
    name: 'wasm, machine code, 3 threads',
    start: () => startMachineCode(3),
    stop: stopMachineCode,
    ...{ takesLargeSizes: true, leakSteps: 1000, needs: tensorflowNeeds },
  },
  {
    name: 'tensorflow, 1 thread',
    start: () => selectBackend('tensorflow', { threads: 1 }),
    ...{ takesLargeSizes: true, leakSteps: 1000, needs: tensorflowNeeds },
  },
  {
    name: 'tensorflow, 3 threads',
    start: () => selectBackend('tensorflow', { threads: 3 }),
    ...{ takesLargeSizes: true, leakSteps: 1000, needs: tensorflowNeeds },
  },
  {
    name: 'tensorflow, through the operation',
    start: startOperation,
    stop: () => delete process.env[OPERATION_SWITCH],
    ...{ takesLargeSizes: true, leakSteps: 1000, needs: tensorflowNeeds },
  },
  {
    name: 'cpu',
    start: () => selectBackend('cpu'),
    ...{ takesLargeSizes: false, leakSteps: 100 },
  },
  {
    name: 'webgpu',
    start: startWebgpu,
    ...{ takesLargeSizes: true, leakSteps: 20, needs: webgpuNeeds },
  },
];

/**
 * Runs `body` in a describe block for every backend, with that backend in use; one that is missing
 * here counts as one skipped test.
 */
export function describeBackends(
  title: string,
  body: (backend: BackendUnderTest) => void,
  backends: readonly BackendUnderTest[] = BACKENDS,
): void {
  for (const backend of backends) {
    const { needs } = backend;
    const name = `${title} on ${backend.name}`;
    if (needs?.isThere === false) {
      test.skipIf(true)(`${name} (needs ${needs.what})`, () => undefined);
      continue;
    }
    describe(name, () => {
      beforeAll(backend.start);
      afterAll(() => backend.stop?.());
      body(backend);
    });
  }
}
