import { createRandom } from '@lab/core';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallTask,
  valuesOf,
  withImages,
} from './__fixtures__/small-task.js';
import { createInputs } from './model-inputs.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('createInputs', () => {
  const inputsOf = async (settings: object, mode: 'official' | 'corrected' = 'corrected') =>
    createInputs(
      await smallTask(withImages(smallData())),
      smallConfig({ ...settings }, mode),
      createRandom(1),
    );

  it('pads relation and attribute columns in mode official only', async () => {
    const official = await inputsOf({}, 'official');
    const corrected = await inputsOf({});
    expect([official.relation!.columnCount, official.attribute!.columnCount]).toEqual([1000, 1000]);
    expect(corrected.relation!.columnCount).toBeLessThan(1000);
    expect(corrected.attribute!.columnCount).toBeLessThanOrEqual(40);
    for (const inputs of [official, corrected]) inputs.dispose();
  });

  it('has the modalities that the config names', async () => {
    const inputs = await inputsOf({ 'data.modalities': ['relation'] });
    expect([inputs.image, inputs.attribute]).toEqual([null, null]);
    expect(inputs.relation).not.toBeNull();
    inputs.dispose();
  });

  it.each(['neighbour-mean', 'random', 'zeros', 'mask'])('fills images by %s', async (fill) => {
    const inputs = await inputsOf({ 'data.missingImages': fill });
    expect(inputs.image!.shape).toEqual([80, 5]);
    expect(valuesOf(inputs.image!).every(Number.isFinite)).toBe(true);
    const missing = valuesOf(tf.slice(inputs.image!, [1, 0], [1, 5]));
    if (fill === 'zeros') expect(missing).toEqual([0, 0, 0, 0, 0]);
    if (fill === 'random') expect(missing.some((value) => value !== 0)).toBe(true);
    inputs.dispose();
  });

  it('normalises the neighbour pattern for the convolution', async () => {
    const attention = await inputsOf({});
    const convolution = await inputsOf({ 'model.structureEncoder': 'gcn' });
    expect(attention.neighbours.values).toBeNull();
    expect(convolution.neighbours.values).not.toBeNull();
    for (const inputs of [attention, convolution]) inputs.dispose();
  });
});
