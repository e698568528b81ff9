import { describe, expect, it } from 'vitest';
import { operatingPoint } from './roc.js';

describe('operatingPoint', () => {
  const scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
  const labels = [0, 0, 0, 1, 0, 1, 1, 1];

  it('is the lowest threshold within the alarms allowed', () => {
    expect(operatingPoint(scores, labels, 0)).toEqual({
      ...{ threshold: 0.6, truePositiveRate: 0.75, falsePositiveRate: 0 },
    });
    expect(operatingPoint(scores, labels, 0.25)).toEqual({
      ...{ threshold: 0.4, truePositiveRate: 1, falsePositiveRate: 0.25 },
    });
    expect(operatingPoint(scores, labels, 1).threshold).toBe(0.1);
  });

  it('takes equal scores together, and may take none', () => {
    const { threshold, truePositiveRate } = operatingPoint([1, 1, 0], [1, 0, 0], 0.1);
    expect([threshold, truePositiveRate]).toEqual([Number.POSITIVE_INFINITY, 0]);
  });

  it('refuses one class and shares that are none', () => {
    expect(() => operatingPoint([1, 2], [1, 1])).toThrow(/0 negative/);
    expect(() => operatingPoint([1, 2], [0, 1], 2)).toThrow(/rate of 2/);
  });
});
