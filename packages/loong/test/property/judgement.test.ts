import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseScore } from '../../src/judgement.js';

/** What a composed judgement is, and the score that it gives; null where it gives none. */
interface Composed {
  readonly text: string;
  readonly score: number | null;
}

const score = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 10, max: 999 }).map((tenths) => tenths / 10),
);
/** What stands in the brackets where a score should, and is none from 0 to 100. */
const noScore = fc.constantFrom(
  ...[
    'GRADE',
    '分数',
    '',
    '101',
    '-5',
    '1000',
    '85/100',
    '85%',
    'eighty',
    '7 8',
    '99.5.1',
    '1e2',
    '0.8',
  ],
);
const form = fc.constantFrom<(inner: number | string) => string>(
  (inner) => `Rating: [[${inner}]]`,
  (inner) => `**Rating: [[${inner}]]**`,
  (inner) => `Rating：[[ ${inner} ]]`,
  (inner) => `[[${inner}]]`,
  (inner) => `Final score: [[${inner}]]/100`,
  (inner) => `评分：[[${inner}]]`,
  (inner) => `- Grade = [[${inner}]].`,
);
/** Prose with numbers and brackets that are no score. */
const prose = fc.constantFrom(
  ...['The answer names 3 of 4 companies.', 'Its total is 1,234.5, as the reference has it.'],
  ...['A grade of [[100]] needs every point.', 'The form "Rating: [[50]]" is kept.', ''],
  ...['Points [1] and [2] are right, [3] is missing.', 'The scale goes from [[0]] to [[100]].'],
  ...['答案给出了 3 个要点中的 2 个。', '> Rating: [[100]]', 'Rating: high', 'Score 7 of 10.'],
);
const quiet = prose.filter((line) => !/\[\[\d/.test(line));
/** Prose that names no other score either. */
const remark = quiet.filter((line) => !line.startsWith('Score 7'));
/** Behind a score these leave it in doubt: a number in a sentence, or another score. */
const doubt = fc.constantFrom(
  ...['The scale goes from [[0]] to [[100]].', 'Score 7 of 10.', 'Correction: 70', 'Rating: 70'],
  ...['Actually it is better than that.', 'I give it 70.', '70', '评分：70', 'Wait, no.'],
);
const lines = fc.array(prose, { maxLength: 4 });

const whole: fc.Arbitrary<Composed> = fc
  .tuple(lines, form, score, fc.array(remark, { maxLength: 2 }))
  .map(([before, write, value, behind]) => ({
    text: [...before, write(value), ...behind].join('\n'),
    score: value,
  }));

const broken: fc.Arbitrary<Composed> = fc
  .tuple(fc.array(quiet, { maxLength: 4 }), form, noScore)
  .map(([before, write, inner]) => ({ text: [...before, write(inner)].join('\n'), score: null }));

const doubtful: fc.Arbitrary<Composed> = fc
  .tuple(lines, form, score, doubt)
  .map(([before, write, value, behind]) => ({
    text: [...before, write(value), behind].join('\n'),
    score: null,
  }));

const proseOnly: fc.Arbitrary<Composed> = lines.map((all) => ({
  text: all.join('\n'),
  score: null,
}));

describe('10,000 composed judgements', () => {
  test('never a wrong number is taken for a score, and whole judgements are read', () => {
    let [read, unread] = [0, 0];
    const any = fc.oneof(whole, broken, doubtful, proseOnly);
    fc.assert(
      fc.property(any, ({ text, score: expected }) => {
        const parsed = parseScore(text);
        expect(parsed.score, text).toBe(expected);
        if (parsed.score === null) unread += 1;
        else read += 1;
      }),
      { numRuns: 10_000, seed: 2406 },
    );
    expect(read).toBeGreaterThan(1500);
    expect(unread).toBeGreaterThan(1500);
  });

  test('texts of any characters are never scores outside 0 to 100', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer(), (noise, value) => {
        const { score: found } = parseScore(`${noise}\nRating: [[${value}]]${noise}`);
        if (found === null) return;
        expect(found).toBeGreaterThanOrEqual(0);
        expect(found).toBeLessThanOrEqual(100);
      }),
      { numRuns: 500, seed: 1862 },
    );
  });
});
