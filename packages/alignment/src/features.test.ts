import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { smallConfig, smallData, smallTask, withImages } from './__fixtures__/small-task.js';
import { entityFeatures, relationBags } from './features.js';

describe('entityFeatures', () => {
  const featuresOf = async (settings: object, mode: 'official' | 'corrected' = 'corrected') =>
    entityFeatures(
      await smallTask(withImages(smallData())),
      smallConfig({ ...settings }, mode).data,
      createRandom(1),
    );

  it('pads relation and attribute columns where the config says so', async () => {
    const padded = await featuresOf({}, 'official');
    const plain = await featuresOf({});
    expect([padded.relation!.columnCount, padded.attribute!.columnCount]).toEqual([1000, 1000]);
    expect(plain.relation!.columnCount).toBeLessThan(1000);
    expect(plain.attribute!.columnCount).toBeLessThanOrEqual(40);
  });

  it('has the modalities that the config names', async () => {
    const { image, attribute, relation } = await featuresOf({ 'data.modalities': ['relation'] });
    expect([image, attribute]).toEqual([null, null]);
    expect(relation).not.toBeNull();
  });

  it.each(['neighbour-mean', 'random', 'zeros', 'mask'])('fills images by %s', async (fill) => {
    const { image } = await featuresOf({ 'data.missingImages': fill });
    expect([image!.values.length, image!.dimension]).toEqual([80 * 5, 5]);
    expect(image!.values.every(Number.isFinite)).toBe(true);
    const missing = Array.from(image!.values.subarray(5, 10));
    if (fill === 'zeros') expect(missing).toEqual([0, 0, 0, 0, 0]);
    if (fill === 'random') expect(missing.some((value) => value !== 0)).toBe(true);
    if (fill === 'mask') expect(image!.present!.slice(0, 4)).toEqual(Uint8Array.of(1, 0, 1, 0));
    else expect(image!.present).toBeNull();
  });
});

describe('relationBags', () => {
  it('takes the bags of the task where it has some', async () => {
    const task = await smallTask();
    const { data } = smallConfig();
    const own = relationBags(task, data);
    expect(own.columns.length).toBeGreaterThan(0);
    expect(relationBags({ ...task, relationBags: own }, data)).toBe(own);
  });
});
