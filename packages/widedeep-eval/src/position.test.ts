import { expect, test } from 'vitest';
import { swapLabels } from './position.js';

test.each([
  ['Assistant 1 beats Assistant 2.', 'Assistant 2 beats Assistant 1.'],
  ["assistant 2's answer", "assistant 1's answer"],
  ['Assistant #1 and assistant two', 'Assistant #2 and assistant one'],
  ['Response 1, Answer 2, candidate 1', 'Response 2, Answer 1, candidate 2'],
  ['The first assistant; the Second answer', 'The second assistant; the First answer'],
  ['the first one is better', 'the second one is better'],
  ['助手1比助手 2好', '助手2比助手 1好'],
  ['第一个助手更好', '第二个助手更好'],
  ['Ассистент 1 лучше ассистента 2', 'Ассистент 2 лучше ассистента 1'],
])('%s', (text, swapped) => {
  expect(swapLabels(text)).toBe(swapped);
  expect(swapLabels(swapped)).toBe(text);
});

test.each([
  'Assistant 12 and Assistant 1.5 are others',
  'in 1 of 2 cases the first attempt fails',
  'It gives 2 reasons: 1. clarity',
])('no label is touched in: %s', (text) => {
  expect(swapLabels(text)).toBe(text);
});
