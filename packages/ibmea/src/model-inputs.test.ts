import { createRandom } from '@lab/core';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallData, smallTask, withImages } from './__fixtures__/small-task.js';
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

  it('has the image vectors, and who has one where the others are masked', async () => {
    const filled = await inputsOf({});
    const masked = await inputsOf({ 'data.missingImages': 'mask' });
    for (const { image } of [filled, masked]) expect(image!.shape).toEqual([80, 5]);
    expect(filled.imagePresent).toBeNull();
    expect(masked.imagePresent!.slice(0, 4)).toEqual(Uint8Array.of(1, 0, 1, 0));
    for (const inputs of [filled, masked]) inputs.dispose();
  });

  it('normalises the neighbour pattern for the convolution', async () => {
    const attention = await inputsOf({});
    const convolution = await inputsOf({ 'model.structureEncoder': 'gcn' });
    expect(attention.neighbours.values).toBeNull();
    expect(convolution.neighbours.values).not.toBeNull();
    for (const inputs of [attention, convolution]) inputs.dispose();
  });
});
