import { describe, expect, it } from 'vitest';
import { parseScore } from './judgement.js';

describe('parseScore', () => {
  it.each([
    ['Good.\nRating: [[85]]', 85],
    ['The format is [[50]].\nRating: [[100]]', 100],
    ['[[ 0 ]]', 0],
    ['[[99.5]]', 99.5],
    ['Rating: [[60]]\nOn second thoughts:\nRating: [[80]]', 80],
    ['It is all there. Rating: [[85]].', 85],
    ['**Rating:** [[85]]', 85],
    ['### Final rating: **[[85]]**', 85],
    ['- Overall score = [[85]]/100', 85],
    ['The rating is [[85]] out of 100.', 85],
    ['理由充分。评分：[[85]]', 85],
    ['最终得分为 [[85]] 分', 85],
    ['Rating: [[85]]\nThe answer lacks one of 7 points.', 85],
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
    ['Rating: [[90]]\nRating: [[900]]', 'out-of-range'],
    ['[[100]] as said, "[[GRADE]]"', 'no-score'],
    ['first [[90]], then [[95]]', 'no-score'],
    ['Rating: [[80]] or [[90]]', 'no-score'],
    ['I cannot grade this. The form would be "Rating: [[50]]".', 'no-score'],
    ['> Rating: [[100]]\nsays the answer itself.', 'no-score'],
    ['Rating: [[40]]\n(The scale ends at [[100]].)', 'no-score'],
  ] as const)('finds no score in %j', (text, problem) => {
    expect(parseScore(text)).toEqual({ score: null, problem });
  });

  it('reads the first one, in single brackets too, as the released code does', () => {
    expect(parseScore('[[50]] then [[100]]', 'first').score).toBe(50);
    expect(parseScore('about [70] of 100', 'first').score).toBe(70);
    expect(parseScore('[[300]]', 'first')).toEqual({ score: null, problem: 'out-of-range' });
  });
});
