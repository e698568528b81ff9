import { BackendError } from '@lab/core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { selectBackend, tf } from '../../src/index.js';
import { candidatesFor } from '../../src/backend-candidates.js';
import { isSoftwareAdapter, noHardwareError } from '../../src/webgpu-backend.js';
import { BACKENDS, describeBackends } from './backends.js';

const FLOATS_PER_MIB = 2 ** 18;

/** Floats that one binding of the device holds. */
function largestSize(): number {
  const { device } = tf.backend() as unknown as {
    device: { limits: { maxStorageBufferBindingSize: number } };
  };
  return device.limits.maxStorageBufferBindingSize / 4;
}

function messageOf(run: () => unknown): string {
  try {
    tf.tidy(() => void run());
    return '';
  } catch (error) {
    return BackendError.is(error) ? error.message : `another error: ${String(error)}`;
  }
}

test.each([
  [{ device: 'llvmpipe-llvm-15-0-6-256-bits-' }, true],
  [{ description: 'SwiftShader Device (Subzero)' }, true],
  [{ description: 'Microsoft Basic Render Driver' }, true],
  [{ architecture: 'software', device: '' }, true],
  [{ isFallbackAdapter: true, device: 'unknown' }, true],
  [{ architecture: 'hopper', device: 'NVIDIA H100 80GB HBM3' }, false],
])('%j computes on the processor: %s', (info, isSoftware) => {
  expect(isSoftwareAdapter({ info })).toBe(isSoftware);
});

test('a machine without an adapter is told what to install', () => {
  expect(noHardwareError('none at all')).toMatchObject({ help: /driver.*wasm/ });
});

const webgpu = BACKENDS.filter(({ name }) => name === 'webgpu');

describeBackends(
  'the seam',
  () => {
    test('tensors past one binding are refused with sizes, however they come about', async () => {
      const limit = largestSize();
      const rows = limit / FLOATS_PER_MIB;
      const x = tf.ones([rows, FLOATS_PER_MIB / 2]);
      const said = /takes [\d.]+ [MG]B, but this webgpu adapter binds at most [\d.]+ [MG]B/;
      expect(messageOf(() => tf.zeros([limit + 1]))).toMatch(said);
      expect(messageOf(() => tf.tensor(new Float32Array(limit + 1)))).toMatch(said);
      expect(messageOf(() => tf.concat([x, x, x], 0))).toMatch(said);
      expect(messageOf(() => tf.tile(tf.ones([1, 1]), [limit, 2]))).toMatch(said);
      expect(messageOf(() => tf.matMul(tf.ones([limit, 1]), tf.ones([1, 2])))).toMatch(said);
      x.dispose();
      const sum = tf.tidy(() => tf.sum(tf.ones([1000])));
      expect([...(await sum.data())]).toEqual([1000]);
      sum.dispose();
    });

    test('a tensor of exactly one binding is computed rightly', async () => {
      const total = tf.tidy(() => tf.sum(tf.max(tf.fill([64, largestSize() / 64], 2), 1)));
      expect([...(await total.data())]).toEqual([128]);
      total.dispose();
    });
  },
  webgpu,
);

const canTry = webgpu[0]?.needs?.isThere === true;

describe.skipIf(!canTry)(
  `the choice of a software adapter${canTry ? '' : ' (needs webgpu)'}`,
  () => {
    afterEach(() => vi.unstubAllEnvs());

    test('auto never takes one, whatever the switch says', async () => {
      vi.stubEnv('LAB_WEBGPU_SOFTWARE', '1');
      expect((await selectBackend('auto')).name).not.toBe('webgpu'); // wasm comes first
      const candidate = candidatesFor('auto').find(({ name }) => name === 'webgpu');
      await expect(candidate?.start(false)).rejects.toThrow(/no hardware adapter \(only .*\)/);
    });

    test('by name it takes the switch', async () => {
      vi.stubEnv('LAB_WEBGPU_SOFTWARE', '');
      const error = await selectBackend('webgpu').then(
        () => undefined,
        (caught: unknown) => caught,
      );
      if (error !== undefined) expect(String(error)).toMatch(/no hardware adapter/);
      vi.stubEnv('LAB_WEBGPU_SOFTWARE', '1');
      expect((await selectBackend('webgpu')).name).toBe('webgpu');
    });
  },
);

describe.skipIf(!canTry)(`a device that fails${canTry ? '' : ' (needs webgpu)'}`, () => {
  test('has no result believed any more', async () => {
    vi.stubEnv('LAB_WEBGPU_SOFTWARE', '1');
    await selectBackend('webgpu');
    const { device } = tf.backend() as unknown as {
      device: { createBuffer(options: { size: number; usage: number }): unknown };
    };
    device.createBuffer({ size: 16, usage: 0 }); // no usage: the device reports it, later
    const sum = tf.tidy(() => tf.sum(tf.ones([2000])));
    await expect(sum.data()).rejects.toThrow(/the webgpu device failed: .*usage/is);
    vi.unstubAllEnvs();
  });
});
