import { expect, test } from 'vitest';
import { heatShade } from './heat-shade.js';

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
