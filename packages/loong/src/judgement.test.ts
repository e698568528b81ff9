import { describe, expect, it } from 'vitest';
import { parseScore } from './judgement.js';

describe('parseScore', () => {
  it.each([
    ['Good.\nRating: [[85]]', 85],
    ['The format is [[50]], so: Rating: [[100]]', 100],
    ['[[ 0 ]]', 0],
    ['[[99.5]]', 99.5],
    ['[[100]] as said, "[[GRADE]]"', 100],
  ])('reads the last score of %j', (text, score) => {
    expect(parseScore(text)).toEqual({ score, problem: null });
  });

  it.each([
    ['Rating: 85', 'no-score'],
    ['[85]', 'no-score'],
    ['', 'no-score'],
    ['[[GRADE]]', 'no-score'],
    ['[[85/100]]', 'no-score'],
    ['[[101]]', 'out-of-range'],
    ['[[-1]]', 'out-of-range'],
    ['first [[90]], then [[900]]', 'out-of-range'],
  ] as const)('finds no score in %j', (text, problem) => {
    expect(parseScore(text)).toEqual({ score: null, problem });
  });

  it('reads the first one, in single brackets too, as the released code does', () => {
    expect(parseScore('[[50]] then [[100]]', 'first').score).toBe(50);
    expect(parseScore('about [70] of 100', 'first').score).toBe(70);
    expect(parseScore('[[300]]', 'first')).toEqual({ score: null, problem: 'out-of-range' });
  });
});
