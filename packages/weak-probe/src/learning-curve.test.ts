import { expect, test } from 'vitest';
import { memoryStore, settings } from './__fixtures__/memory-store.js';
import { learningCurve } from './learning-curve.js';

const store = memoryStore({ counts: [80, 80], width: 30, distances: [0, 2] });
const read = (counts: readonly number[], state = 1) =>
  learningCurve({ store, config: settings(), state, probe: 'lda', counts, draws: 4 });

test('a probe does better with more training rows, measured on the same test rows', async () => {
  const points = await read([2, 8, 100, 500]);
  expect(points.map(({ trainCount }) => trainCount)).toEqual([2, 8, 100]);
  const [few, , many] = points;
  expect(many!.accuracy).toBeGreaterThan(few!.accuracy + 0.1);
  expect(many!.draws.length).toBe(4);
  expect(many!.interval.low).toBeLessThan(many!.accuracy);
  expect(await read([2, 8, 100])).toEqual(points);
});

test('it takes a row of each class at least, and states that there are', async () => {
  await expect(read([1])).rejects.toThrow(/1 training rows of 2 classes/);
  await expect(read([10], 7)).rejects.toThrow(/no state 7/);
});
