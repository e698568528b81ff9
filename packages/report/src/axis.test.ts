import { ConfigError } from '@lab/core';
import { expect, test } from 'vitest';
import { axisDomain, axisLabel, axisPosition, axisValue, valueWriter } from './axis.js';

test('labels carry unit and scale', () => {
  expect(axisLabel({ label: 'loss', unit: 'nats', isLog: true })).toBe('loss (nats, log)');
  expect(axisLabel({ label: 'epoch' })).toBe('epoch');
});

test('zero is kept where it matters, shares end at 0 and 1', () => {
  expect(axisDomain({ label: 'x', hasZero: true }, [3, 5])[0]).toBe(0);
  expect(axisDomain({ label: 'x', format: 'share' }, [0.01, 0.999])).toEqual([0, 1]);
  expect(axisDomain({ label: 'x', format: 'share' }, [1, 1])).toEqual([0, 1]);
  expect(axisDomain({ label: 'x', format: 'share', hasZero: true }, [0])).toEqual([0, 1]);
  expect(axisDomain({ label: 'x', domain: [1, 2] }, [9])).toEqual([1, 2]);
});

test('no values, one value, and values that are not numbers still make an axis', () => {
  const tiny = [-2e-323, 1.5e-323];
  for (const values of [[], [0], [7], [-0.3], [Number.NaN, 2], tiny]) {
    const [low, high] = axisDomain({ label: 'x' }, values);
    expect(high - low, JSON.stringify(values)).toBeGreaterThan(1e-2);
  }
});

test('a logarithmic axis refuses zero and names the axis', () => {
  expect(() => axisDomain({ label: 'loss', isLog: true }, [1, 0])).toThrow(ConfigError);
  expect(() => axisDomain({ label: 'loss', isLog: true }, [1, 0])).toThrow(/"loss".*is 0/);
});

test('values read as the house writes them', () => {
  expect(axisValue({ format: 'share' }, 0.6121)).toBe('.612');
  expect(axisValue({}, 30000)).toBe('30,000');
  expect(axisValue({}, 0.61)).toBe('0.610');
});

test('values beside each other have the same decimals, three digits in the largest', () => {
  const written = (values: readonly number[], axis = {}) =>
    values.map(valueWriter({ label: 'x', ...axis }, values));
  expect(written([100, 98.26, 44.2])).toEqual(['100.0', '98.3', '44.2']);
  expect(written([3.02, -0.088, -0.0004])).toEqual(['3.02', '-0.09', '0.00']);
  expect(written([0.00912, -0.0262])).toEqual(['0.0091', '-0.0262']);
  expect(written([1234.5, 2.6])).toEqual(['1,235', '3']);
  expect(written([3, 12000])).toEqual(['3', '12,000']);
  expect(written([0.5, 0.25], { format: 'share' })).toEqual(['.500', '.250']);
  expect(written([8.97, 1.5e-5], { isLog: true })).toEqual(['8.97', '1.50e-5']);
});

test('positions are linear in value, or in its logarithm', () => {
  expect(axisPosition({ label: 'x' }, [0, 10], [100, 0])(5)).toBe(50);
  expect(axisPosition({ label: 'x', isLog: true }, [1, 100], [0, 10])(10)).toBeCloseTo(5, 12);
});
