import { expect, test } from 'vitest';
import { linearTicks, logTicks } from './ticks.js';

function texts(domain: [number, number], options: { isShare?: boolean; isWhole?: boolean } = {}) {
  const { values, format } = linearTicks(domain, {
    count: 5,
    isShare: false,
    isWhole: false,
    ...options,
  });
  return values.map((value) => format(value));
}

test('linear ticks are round and have the same decimals', () => {
  expect(texts([0, 1])).toEqual(['0', '0.2', '0.4', '0.6', '0.8', '1.0']);
  expect(texts([-0.031, 0.052])).toEqual(['-0.02', '0', '0.02', '0.04']);
  expect(texts([0, 12_000])).toEqual(['0', '2,000', '4,000', '6,000', '8,000', '10,000', '12,000']);
});

test('shares lose their zero', () => {
  expect(texts([0, 0.11], { isShare: true })).toEqual(['0', '.02', '.04', '.06', '.08', '.10']);
  expect(texts([0, 1], { isShare: true }).at(-1)).toBe('1');
});

test('epochs stand at whole numbers', () => {
  expect(texts([9, 11], { isWhole: true })).toEqual(['9', '10', '11']);
  expect(texts([0, 3], { isWhole: true })).toEqual(['0', '1', '2', '3']);
});

test('very large and very small numbers stay short', () => {
  expect(texts([0, 1.1e8])).toEqual(['0', '20M', '40M', '60M', '80M', '100M']);
  expect(texts([0, 1_100_000])).toEqual(['0', '200k', '400k', '600k', '800k', '1M']);
  for (const text of [...texts([0, 3e-9]), ...texts([1e18, 9e18])]) {
    expect(text.length).toBeLessThan(9);
  }
});

test('logarithmic ticks are round, few and within the ends', () => {
  expect(logTicks([0.18, 7], 5).values).toEqual([0.2, 0.5, 1, 2, 5]);
  const wide = logTicks([1e-9, 1e9], 5);
  expect(wide.values.length).toBeLessThanOrEqual(7);
  expect(
    logTicks([100, 200_000], 5)
      .values.map(logTicks([1, 2], 5).format)
      .at(-1),
  ).toBe('100k');
});
