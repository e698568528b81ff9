import { describe, expect, it } from 'vitest';
import { smallData, smallTask, withImages } from './__fixtures__/small-task.js';
import { reducedTask } from './reduced-task.js';

describe('reducedTask', () => {
  it('is the task itself where it is small enough', async () => {
    const task = await smallTask();
    expect(reducedTask(task, 40)).toBe(task);
  });

  it('keeps what is known of the kept entities, and nothing of the others', async () => {
    const task = await smallTask(withImages(smallData(60)));
    const { data, split } = reducedTask(task, 25);
    expect([data.left.length, data.right.length, data.entityCount]).toEqual([25, 25, 50]);
    const whole = task.data;
    const entityOf = new Map(whole.entityNames.map((name, entity) => [name, entity]));
    const original = (entity: number) => entityOf.get(data.entityNames[entity]!)!;
    for (const side of ['left', 'right'] as const) {
      for (const entity of data[side]) expect(whole[side]).toContain(original(entity));
    }
    const key = (h: number, r: number, t: number) => `${h} ${r} ${t}`;
    const list = ({ heads, relations, tails }: typeof data.triples, map: (e: number) => number) =>
      Array.from(heads, (head, at) => key(map(head), relations[at]!, map(tails[at]!)));
    const names = new Set(data.entityNames);
    const expected = list(whole.triples, (entity) => entity).filter((_, at) =>
      [whole.triples.heads[at]!, whole.triples.tails[at]!].every((e) =>
        names.has(whole.entityNames[e]!),
      ),
    );
    expect(list(data.triples, original)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(20);
    expect(data.triples.leftCount).toBe(
      data.triples.heads.filter((head) => data.sides[head] === 1).length,
    );
    const bag = ({ rowPointers, columns }: NonNullable<typeof data.attributes>, entity: number) =>
      Array.from(columns.subarray(rowPointers[entity]!, rowPointers[entity + 1]!));
    for (let entity = 0; entity < data.entityCount; entity += 1) {
      expect(bag(data.attributes!, entity)).toEqual(bag(whole.attributes!, original(entity)));
    }
    const { entities, vectors, dimension } = data.images!;
    expect(entities.length).toBeGreaterThan(0);
    entities.forEach((entity, row) => {
      const at = whole.images!.entities.indexOf(original(entity));
      expect(vectors.subarray(row * dimension, (row + 1) * dimension)).toEqual(
        whole.images!.vectors.subarray(at * dimension, (at + 1) * dimension),
      );
    });
    for (const pairs of [split.seeds, split.test, data.links]) {
      expect(pairs.length).toBeGreaterThan(0);
      expect(Math.max(...pairs)).toBeLessThan(50);
    }
    expect(split.seeds.length + split.test.length).toBe(data.links.length);
  });

  it('takes the densest part: the kept entities keep most of their neighbours', async () => {
    const task = await smallTask(smallData(200));
    const { data } = reducedTask(task, 100);
    const perEntity = data.triples.heads.length / data.entityCount;
    const whole = task.data.triples.heads.length / task.data.entityCount;
    expect(perEntity).toBeGreaterThan(0.6 * whole);
  });
});
