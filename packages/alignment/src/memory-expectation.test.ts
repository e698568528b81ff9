import { BackendError } from '@lab/core';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask } from './__fixtures__/small-task.js';
import { tableMethod } from './__fixtures__/table-method.js';
import type { AlignmentTask } from './data.js';
import { assertFits, memoryExpectation } from './memory-expectation.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** The small task pretending to be larger. */
async function pretended(entityCount: number): Promise<AlignmentTask> {
  const task = await smallTask();
  return { ...task, data: { ...task.data, entityCount } };
}

describe('memoryExpectation', () => {
  it('compares with four fifths of what the backend holds', () => {
    const limitBytes = 2 ** 32;
    const fitting = memoryExpectation(0.79 * limitBytes, 'kept');
    expect(fitting).toMatchObject({ limitBytes, fits: true, graphLayers: 'kept' });
    expect(memoryExpectation(0.81 * limitBytes, 'recomputed')).toMatchObject({
      fits: false,
      graphLayers: 'recomputed',
    });
  });
});

const fits = (task: AlignmentTask, config: ReturnType<typeof smallConfig>) =>
  assertFits('table', task.data, tableMethod.expectedMemory(task, config));

describe('assertFits', () => {
  it('lets a small training pass', async () => {
    expect(fits(await smallTask(), smallConfig())).toBeUndefined();
  });

  it('refuses before training what the backend cannot hold, with sizes and a way out', async () => {
    const task = await pretended(5_000_000);
    const config = smallConfig({ 'model.tableSize': 300 });
    expect(() => fits(task, config)).toThrow(BackendError);
    expect(() => fits(task, config)).toThrow(/^table.*5,000,000 entities.*GB/);
    try {
      fits(task, config);
    } catch (error) {
      expect((error as BackendError).help).toMatch(/narrower model.*--backend/);
    }
  });
});
