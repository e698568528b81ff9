import { expect, test } from 'vitest';
import { heatShade } from './heat-shade.js';
import { heatmap } from './index.js';

test('shades run from the least to the greatest value, or between the ends of the axis', () => {
  const shade = heatShade({ label: 'x' }, [2, 4, Number.NaN, 6]);
  expect([2, 3, 6, Number.NaN, 9].map(shade)).toEqual([0, 0.25, 1, 0, 1]);
  const fixed = heatShade({ label: 'x', domain: [0, 10] }, [2, 4]);
  expect([-1, 5].map(fixed)).toEqual([0, 0.5]);
});

test('a logarithmic axis gives each factor of ten the same step, and nothing below one', () => {
  const shade = heatShade({ label: 'x', isLog: true }, [0, 0.01, 0.1, 1, -3]);
  expect(shade(0.1)).toBeCloseTo(0.5, 12);
  expect([0, -3, 0.01, 1].map(shade)).toEqual([0, 0, 0, 1]);
});

test('values that are all alike have half the shade', () => {
  expect(heatShade({ label: 'x' }, [3, 3])(3)).toBe(0.5);
});

test('a heatmap writes numbers where they fit their cells, frames what is marked', () => {
  const columns = Array.from({ length: 8 }, (_, at) => String(at));
  const values = [columns.map((_, at) => 0.0001234 / (at + 1))];
  const { svg, narrowSvg, description } = heatmap({
    ...{ title: 't', rows: ['a'], columns, values, value: { label: 'x', isLog: true } },
    marked: [{ row: 'a', column: '3' }],
  });
  expect(svg).toContain('>0.000123</text>');
  expect(narrowSvg).not.toContain('>0.000123</text>');
  expect(description).toContain('Framed: a, 3.');
});
