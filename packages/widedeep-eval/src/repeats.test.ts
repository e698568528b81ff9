import { expect, test } from 'vitest';
import { sampleWith } from './__fixtures__/scripted-network.js';
import { repeatsOf, repeatsText } from './repeats.js';
import type { Sample } from './sample.js';

const pair = (id: string, answers: readonly [string, string], gold: Sample['gold'] = '1') =>
  sampleWith({ id, answer1: answers[0], answer2: answers[1], gold });

test('copies and swapped copies are counted, and those that contradict each other', () => {
  const none = [pair('a', ['x', 'y']), pair('b', ['x', 'z']), pair('c', ['same', 'same'])];
  expect(repeatsOf(none)).toEqual({ copies: 0, swapped: 0, contradictory: 0 });
  expect(repeatsText(repeatsOf(none))).toEqual([]);
  const copied = [...none, pair('d', ['x', 'y']), pair('e', ['x', 'z'], 'tie')];
  expect(repeatsOf(copied)).toEqual({ copies: 2, swapped: 0, contradictory: 1 });
  const swapped = [...none, pair('d', ['y', 'x'], '2'), pair('e', ['z', 'x'], '1')];
  expect(repeatsOf(swapped)).toEqual({ copies: 0, swapped: 4, contradictory: 2 });
  expect(repeatsText(repeatsOf(swapped))).toEqual([
    'pairs that are another one with its answers swapped: 4',
    'pairs whose copy has another verdict of people: 2',
  ]);
});
