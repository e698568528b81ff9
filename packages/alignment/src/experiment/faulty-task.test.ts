import { describe, expect, it } from 'vitest';
import { smallConfig, smallData, smallTask, withImages } from '../__fixtures__/small-task.js';
import { relationBags } from '../features.js';
import type { AblationCell, Corruption } from './cell.js';
import { cellTask } from './faulty-task.js';

const config = smallConfig();
const cell = (corruption?: Corruption, seedShare?: number): AblationCell => ({
  id: 'a/b',
  label: 'b',
  set: {},
  ...(corruption === undefined ? {} : { corruption }),
  ...(seedShare === undefined ? {} : { seedShare }),
});

describe('cellTask', () => {
  it('leaves the task as it is without fault, and the test pairs with fewer seeds', async () => {
    const task = await smallTask();
    expect(cellTask(task, cell(), config)).toBe(task);
    const few = cellTask(task, cell(undefined, 0.5), config);
    expect(few.split.seeds).toHaveLength(task.split.seeds.length / 2);
    expect(few.split.test).toBe(task.split.test);
    expect(cellTask(task, cell(undefined, 0), config).split.seeds).toHaveLength(4);
  });

  it('changes what the fault says, and nothing else', async () => {
    const task = await smallTask(withImages(smallData()));
    const changes = (kind: Corruption['kind'], strength?: number) => {
      const fault = { kind, probability: 0.5, ...(strength === undefined ? {} : { strength }) };
      const { data, relationBags: bags } = cellTask(task, cell(fault), config);
      return {
        attributes: data.attributes !== task.data.attributes,
        relations: bags !== undefined,
        images: data.images !== task.data.images,
      };
    };
    const none = { attributes: false, relations: false, images: false };
    expect(changes('swap-rows')).toEqual({ ...none, attributes: true, relations: true });
    expect(changes('flip-attributes')).toEqual({ ...none, attributes: true });
    expect(changes('flip-relations')).toEqual({ ...none, relations: true });
    for (const kind of ['noise-images', 'drop-images', 'swap-images'] as const) {
      expect(changes(kind)).toEqual({ ...none, images: true });
    }
    expect(changes('blur-images', 2)).toEqual({ ...none, images: true });
  });

  it('blurs in proportion to the strength', async () => {
    const task = await smallTask(withImages(smallData()));
    const distance = (strength: number) => {
      const fault: Corruption = { kind: 'blur-images', probability: 1, strength };
      const { vectors } = cellTask(task, cell(fault), config).data.images!;
      return vectors.reduce((sum, x, at) => sum + Math.abs(x - task.data.images!.vectors[at]!), 0);
    };
    expect(distance(2) / distance(1)).toBeCloseTo(2, 3);
  });

  it('flips about the given share of relation entries, the same at one seed', async () => {
    const task = await smallTask();
    const fault: Corruption = { kind: 'flip-relations', probability: 0.3 };
    const flipped = cellTask(task, cell(fault), config).relationBags!;
    const before = relationBags(task, config.data);
    const cells = before.rowCount * before.columnCount;
    const expected = 0.7 * before.columns.length + 0.3 * (cells - before.columns.length);
    expect(flipped.columns.length / expected).toBeGreaterThan(0.9);
    expect(flipped.columns.length / expected).toBeLessThan(1.1);
    expect(cellTask(task, cell(fault), config).relationBags).toEqual(flipped);
  });
});
