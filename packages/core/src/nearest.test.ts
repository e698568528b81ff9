import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from './nearest.js';

describe('nearest', () => {
  it.each([
    ['trian', 'train'],
    ['epocs', 'epochs'],
    ['DBP15K', 'dbp15k'],
    ['fb15k', 'fb15k-db15k'],
  ])('suggests for %s the name %s', (word, expected) => {
    expect(nearest(word, ['train', 'epochs', 'dbp15k', 'fb15k-db15k'])).toBe(expected);
  });

  it('suggests nothing when nothing is close', () => {
    expect(nearest('banana', ['train', 'align'])).toBeUndefined();
    expect(nearest('x', ['y'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('between "%s" and "%s" is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});
