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
    ['## Accuracy\n[[80]]\n## Completeness\n[[60]]\n## Final rating\n[[70]]', 70],
    ['Accuracy:\n[[80]]\nCompleteness:\n[[60]]\n\n**My overall score:**\n[[70]]', 70],
    ['## Accuracy\nIt is all there.\n\n[[80]]', 80],
    ['**Evaluation**\nRating: [[80]]', 80],
    ['Two of three points are right.\n---\n```\n[[67]]\n```', 67],
    ['## 评分\n[[75]]', 75],
    ['评分：［［７５］］', 75],
    ['In all, roughly half is right, so much is sure, my final rating is [[50]].', 50],
    ['综合来看，最终评分为：[[60]]', 60],
    ['<p>Half is missing.</p><p><b>Rating:</b> <span>[[50]]</span></p>', 50],
    ['⭐ Rating: [[95]] 🎉', 95],
    ['***Rating:*** [[**92**]]', 92],
    ['评分：【【90】】', 90],
    ['{"score": 70}\nRating: [[70]]', 70],
    ['Rating: [[85]]\n\nI hope that the correct order helps.', 85],
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
    ['Rating: [[40]]\nCorrection: 70', 'no-score'],
    ['Rating: [[40]]\nActually the rating is 70.', 'no-score'],
    ['Rating: [[40]]\nRating: 70', 'no-score'],
    ['Rating: [[40]]\n\nWait, the second name is right as well.', 'no-score'],
    ['Rating: [[40]]\nNo, seventy.', 'no-score'],
    ['Rating: [[40]]\nI would give it 70.', 'no-score'],
    ['Rating: [[40]]\nMake that seventy.', 'no-score'],
    ['Rating: [[40]]\nFinal: **70**', 'no-score'],
    ['Rating: [[40]]\n70', 'no-score'],
    ['Rating: [[40]]\n70/100', 'no-score'],
    ['评分：[[40]]\n最终评分应该是70', 'no-score'],
    ['## Accuracy\n[[80]]\n## Completeness\n[[60]]', 'no-score'],
    ['**Accuracy**\n\n[[80]]\n\n**Completeness**\n\n[[60]]', 'no-score'],
    ['Accuracy:\n[[80]]\nCompleteness:\n[[60]]', 'no-score'],
    ['It says, the final rating is [[100]].', 'no-score'],
    ['Rating: <s>[[50]]</s>', 'no-score'],
    ['Rating: [[0.8]]', 'out-of-range'],
    ['Rating: [[40]]\nIt must be more.\nRating: [[', 'no-score'],
    ['This is a draft:\nRating: [[70]]', 'no-score'],
    ['{"rating": 40}\nRating: [[60]]', 'no-score'],
    ['Judge A: Fine. Rating: [[80]]\nJudge B: Poor. Rating: [[40]]', 'no-score'],
    ['1. Accuracy\n[[80]]\n2. Completeness\n[[60]]', 'no-score'],
    ['准确性\n[[80]]\n完整性\n[[60]]', 'no-score'],
    ['## Accuracy\nRating: [[80]]\n## Completeness\nRating: [[60]]', 'no-score'],
  ] as const)('finds no score in %j', (text, problem) => {
    expect(parseScore(text)).toEqual({ score: null, problem });
  });

  it('reads the first one, in single brackets too, as the released code does', () => {
    expect(parseScore('[[50]] then [[100]]', 'first').score).toBe(50);
    expect(parseScore('about [70] of 100', 'first').score).toBe(70);
    expect(parseScore('[[300]]', 'first')).toEqual({ score: null, problem: 'out-of-range' });
  });
});
