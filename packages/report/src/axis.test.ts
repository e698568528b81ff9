import { ConfigError } from '@lab/core';
import { expect, test } from 'vitest';
import { axisDomain, axisLabel, axisPosition, axisValue } from './axis.js';

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

test('positions are linear in value, or in its logarithm', () => {
  expect(axisPosition({ label: 'x' }, [0, 10], [100, 0])(5)).toBe(50);
  expect(axisPosition({ label: 'x', isLog: true }, [1, 100], [0, 10])(10)).toBeCloseTo(5, 12);
});
