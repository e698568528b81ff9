import { expect, test } from 'vitest';
import { constantFloors, judgedFloors } from './floors.js';

test('floors of judged samples hold the longer answer, where all lengths are known', () => {
  const samples = [
    { gold: '1', lengthDifference: 5 },
    { gold: '2', lengthDifference: 3 },
    { gold: 'tie', lengthDifference: 0 },
    { gold: null, lengthDifference: null },
  ] as const;
  const longer = judgedFloors(samples).at(-1)!;
  expect(longer).toMatchObject({ name: 'longer in characters', accuracy: 2 / 3 });
  const unknown = [...samples, { gold: '1', lengthDifference: null } as const];
  expect(judgedFloors(unknown)).toEqual(constantFloors(unknown.map(({ gold }) => gold)));
  expect(judgedFloors([])).toEqual([]);
});
