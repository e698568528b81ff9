import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatNumber,
  formatPercent,
  formatShare,
} from './format.js';

describe('format', () => {
  it.each([
    [0.0042, '4.2 ms'],
    [0.4, '0.40 s'],
    [0.9996, '1.0 s'],
    [2.9, '2.9 s'],
    [9.96, '10 s'],
    [37.2, '37 s'],
    [99.6, '2 min'],
    [720, '12 min'],
    [3599, '1 h 00 min'],
    [3840, '1 h 04 min'],
    [183_600, '2 d 03 h'],
    [-60, '-60 s'],
    [Number.NaN, 'n/a'],
  ])('duration %d is %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [999.7, '1.0 kB'],
    [1.4e9, '1.4 GB'],
    [2.56e8, '256 MB'],
    [-2000, '-2.0 kB'],
    [Number.POSITIVE_INFINITY, 'n/a'],
  ])('size %d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [30_000, '30,000'],
    [999, '999'],
    [-1_234_567, '-1,234,567'],
    [0.4, '0'],
    [Number.NaN, 'n/a'],
  ])('count %d is %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it.each([
    [0.612, '.612'],
    [1, '1.000'],
    [-0.05, '-.050'],
    [0, '.000'],
    [Number.NaN, 'n/a'],
  ])('share %d is %s', (share, text) => {
    expect(formatShare(share)).toBe(text);
  });

  it('writes percent for sentences', () => {
    expect(formatPercent(0.612)).toBe('61.2 %');
    expect(formatPercent(Number.NaN)).toBe('n/a');
  });

  it.each([
    [4.8123, '4.81'],
    [0.01234, '0.0123'],
    [1234.5, '1,235'],
    [1.23e-7, '1.23e-7'],
    [5e10, '5.00e+10'],
    [0, '0'],
    [Number.NaN, 'n/a'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('number %d is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

describe('formatCounted', () => {
  it.each([
    [0, '0 lines'],
    [1, '1 line'],
    [2500, '2,500 lines'],
  ])('%s', (count, text) => {
    expect(formatCounted(count, 'line')).toBe(text);
  });

  it('takes another plural', () => {
    expect(formatCounted(2, 'entity', 'entities')).toBe('2 entities');
  });
});
