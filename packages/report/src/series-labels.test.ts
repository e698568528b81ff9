import { expect, test } from 'vitest';
import { fitText, legendRows, spreadPositions, textWidth } from './series-labels.js';

test('labels move apart and stay within the range', () => {
  expect(spreadPositions([10, 11, 12], 15, [0, 100])).toEqual([10, 25, 40]);
  expect(spreadPositions([98, 99], 15, [0, 100])).toEqual([85, 100]);
  expect(spreadPositions([50, 10], 15, [0, 100])).toEqual([50, 10]);
});

test('texts are cut with an ellipsis only when they do not fit', () => {
  expect(fitText('graph', 100)).toBe('graph');
  const cut = fitText('without hybrid loss', 60);
  expect(cut.endsWith('…')).toBe(true);
  expect(textWidth(cut)).toBeLessThanOrEqual(60);
});

test('a legend breaks into rows', () => {
  const names = ['one', 'two', 'three', 'four'].map((name, slot) => ({ name, slot }));
  expect(legendRows(names, 150).map((row) => row.length)).toEqual([2, 1, 1]);
  expect(legendRows([], 150)).toEqual([]);
});
