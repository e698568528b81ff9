import { expect, test } from 'vitest';
import { rankOverlapPlot } from './index.js';

const figure = rankOverlapPlot({
  title: 'Top heads',
  left: { name: 'base', items: ['2-26', '0-1', '3-3'] },
  right: { name: 'tuned', items: ['0-1', '5-5', '2-26'] },
});

test('joins what stands in both rankings, and counts it', () => {
  expect(figure.description).toContain('2 of 3 stand in both: 2-26, 0-1.');
  expect(figure.csv).toContain('base,1,2-26,3\r\nbase,2,0-1,1\r\nbase,3,3-3,\r\n');
  expect(figure.svg.match(/<path /g)).toHaveLength(2);
});

test('draws rankings that share nothing, and empty ones', () => {
  const one = { name: 'a', items: ['x'] };
  const none = rankOverlapPlot({ title: 't', left: one, right: { name: 'b', items: [] } });
  expect(none.description).toContain('0 of 1 stand in both.');
  expect(none.svg).not.toMatch(/NaN|undefined/);
});
