/**
 * Our kernels as an operation of TensorFlow, on the CPU: what it refuses, what else it promises.
 */
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { ids, matrix } from '../../src/__fixtures__/numbers.js';
import { activeKernels } from '../../src/active-kernels.js';
import { hasKernel } from '../../src/engine.js';
import { createAdamW, createParameters, gatherRows, selectBackend, tf } from '../../src/index.js';
import { LAUNCHED_KERNELS } from '../../src/kernels/launched.js';
import { findBuild } from '../../src/native/build.js';
import { readSetup } from '../../src/native/places.js';
import { idOf, type TensorflowBackend } from '../../src/native/tensorflow-backend.js';
import { BACKENDS, describeBackends } from './backends.js';

interface Addon {
  readonly operation: string;
  readonly launchers: readonly (readonly [name: string, types: string])[];
  readonly isCuda: boolean;
}

const require = createRequire(import.meta.url);
const TOKEN = 2 ** 44;
const throughOperation = BACKENDS.filter(({ name }) => name.endsWith('through the operation'));

const backendInUse = () => tf.backend() as unknown as TensorflowBackend;

/** Runs a kernel on one tensor of four floats, twice as large afterwards, by a job as it is. */
function runJob(kernel: string | number, values: readonly number[], block = 4): void {
  const { operation, launchers } = require(findBuild(readSetup())!.operations!) as Addon;
  const place =
    typeof kernel === 'number' ? kernel : launchers.findIndex(([name]) => name === kernel);
  const job = Float64Array.from([place, 4, block, 0, 0, ...values]);
  const backend = backendInUse();
  const x = tf.tensor1d([1, 2, 3, 4]);
  try {
    backend.binding.labRun(operation, job, job.length, [idOf(backend, x)]);
    // Not all of what was run wrote there; only who expects it looks.
    expect([...x.dataSync()]).toEqual([2, 4, 6, 8]);
  } finally {
    x.dispose();
  }
}

const doubleInPlace = () => runJob('scale_values', [TOKEN, 2, TOKEN]);

/** Jobs that are refused: kernel, values, what the message says. */
const REFUSED: readonly [string, string | number, number[], RegExp][] = [
  ['a slot without a tensor', 'scale_values', [2 * TOKEN, 2, TOKEN], /in none of its tensors/],
  ['a number for an address', 'scale_values', [4096, 2, TOKEN], /in none of its tensors/],
  ['half a byte', 'scale_values', [TOKEN + 0.5, 2, TOKEN], /in none of its tensors/],
  ['NaN', 'scale_values', [Number.NaN, 2, TOKEN], /in none of its tensors/],
  ['an address past the end', 'scale_values', [TOKEN + 20, 2, TOKEN], /past the end of a tensor/],
  ['no address for an answer', 'find_outside', [4, TOKEN, 0, 1, 0], /no address for its answer/],
  ['too few values', 'scale_values', [TOKEN, 2], /scale_values was given too few values/],
  ['a kernel that is not there', 999, [], /there is no kernel 999/],
];

describeBackends(
  'the operation of TensorFlow',
  () => {
    afterEach(() => vi.restoreAllMocks());

    test('runs a job on the tensors themselves', doubleInPlace);

    test.each(REFUSED)('throws for %s, and goes on', (_, kernel, values, message) => {
      expect(() => runJob(kernel, values)).toThrow(message);
      doubleInPlace();
    });

    test('throws for blocks of nothing, and for tensors and operations that are not there', () => {
      expect(() => runJob('scale_values', [TOKEN, 2, TOKEN], 0)).toThrow(/too few values/);
      const { binding } = backendInUse();
      const job = new Float64Array(5);
      expect(() => binding.labRun('LabKernelsOfNobody', job, 5, [])).toThrow(/LabKernelsOfNobody/);
      expect(() => binding.labRun('LabKernels', job, 5, [2 ** 30])).toThrow(/no such tensor/);
      expect(() => binding.labRun('LabKernels', job, 6, [])).toThrow(/takes an operation/);
      doubleInPlace();
    });

    test('an index out of range is named, in a tensor that passed with a wider range too', () => {
      const places = ids([0, 4]);
      const [large, small] = [matrix('x', 5, 2), matrix('x', 3, 2)];
      expect(gatherRows(large, places).shape).toEqual([2, 2]);
      expect(() => gatherRows(small, places)).toThrow(DataError);
      expect(() => gatherRows(small, places)).toThrow(/\[1\] is 4, outside 0 .. 2/);
      expect(gatherRows(large, places).shape).toEqual([2, 2]);
    });

    test('another copy of the addon finds the operation registered', () => {
      const { kernels, operations } = findBuild(readSetup())!;
      const folder = temporaryFolder();
      for (const path of [kernels, operations!]) copyFileSync(path, join(folder, basename(path)));
      const copy = require(join(folder, basename(operations!))) as Addon;
      expect(copy).not.toBe(require(operations!));
      expect(copy).toEqual(require(operations!));
      doubleInPlace();
    });

    test('has a stable set of kernels, and no memory for other code', () => {
      expect([...LAUNCHED_KERNELS].filter((name) => !hasKernel(name))).toEqual([]);
      expect(['LabRmsNorm', 'LabLayerNorm', 'LabEmpty'].filter(hasKernel)).toEqual([]);
      expect(activeKernels()).toBeNull();
    });

    test('AdamW works in place, and what was read before is not what is read after', () => {
      const runs = vi.spyOn(backendInUse().binding, 'labRun');
      const parameters = createParameters();
      parameters.add('a', tf.tensor1d([1, -2, 3]));
      const optimiser = createAdamW(parameters);
      const gradient = tf.tensor1d([1, 1, -1]);
      const seen = Array.from({ length: 4 }, () => {
        optimiser.step({ a: gradient }, 0.5);
        return parameters.get('a').dataSync()[0] as number;
      });
      // The first step may make new tensors: TensorFlow need not own what came from JavaScript.
      expect(runs.mock.calls.length).toBeGreaterThanOrEqual(3);
      expect(seen.every((value, i) => value < (seen[i - 1] ?? 1) - 0.3)).toBe(true);
      const clone = parameters.get('a').clone();
      optimiser.step({ a: gradient }, 0.5);
      expect(clone.dataSync()[0]).toBe(seen[3]);
      tf.dispose([clone, gradient]);
      optimiser.dispose();
      parameters.dispose();
    });

    test('all kernels are back when machine code may reach the tensors again', async () => {
      const [start] = throughOperation.map((backend) => backend.start);
      throughOperation[0]!.stop?.();
      await selectBackend('tensorflow');
      expect(['LabRmsNorm', 'LabLayerNorm', 'LabEmpty'].filter(hasKernel)).toHaveLength(3);
      expect(activeKernels()).not.toBeNull();
      await start!();
      expect(hasKernel('LabRmsNorm')).toBe(false);
    });
  },
  throughOperation,
);
