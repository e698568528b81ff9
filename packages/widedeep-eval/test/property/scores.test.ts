import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseScores } from '../../src/scores.js';

/** What a composed answer is, and the scores that it gives; null where it gives none. */
interface Composed {
  readonly text: string;
  readonly scores: readonly [number, number] | null;
}

const score = fc.oneof(
  fc.integer({ min: 1, max: 10 }),
  fc.integer({ min: 10, max: 99 }).map((tenths) => tenths / 10),
);
/** What stands where a score should, and is none from 1 to 10. */
const noScore = fc.constantFrom(
  ...['0', '11', '100', '-3', '7-8', '7 to 8', '8/100', '4/5', '80%', 'eight', 'N/A', '?', ''],
  ...[
    '<score>',
    '8,55',
    '8 or 9',
    '8 (six, rather)',
    '10.5',
    '1e1',
    '0.5',
    '8.5.1',
    '½',
    '1½',
    '8²',
  ],
);
const label = fc.constantFrom<(n: number) => string>(
  (n) => `Score of Assistant ${n}`,
  (n) => `Assistant ${n}`,
  (n) => `**Assistant ${n}**`,
  (n) => `Final score for Assistant ${n}`,
  (n) => `Assistant ${n}'s score`,
  (n) => `- Score of Assistant ${n}`,
  (n) => `助手${n}的得分`,
);
const number = fc.constantFrom<(value: number) => string>(
  (value) => `${value}`,
  (value) => `${value}/10`,
  (value) => `**${value}**`,
  (value) => `${value} out of 10`,
  (value) => `${value}.`,
);
const prose = fc.constantFrom(
  ...[
    'Assistant 1 names 3 causes and Assistant 2 only 1.',
    'Both scored 7 of 8 points in my view.',
  ],
  ...['The answer 42 is right.', 'In 10 words: Assistant 2: the shorter one.', '10/10 for style!'],
  ...['1. Assistant 1 explains; 2. Assistant 2 lists.', 'A range of 1 to 10 is used.', ''],
  ...['Score: high', 'Answer 1: 5', 'Response 2: 9 apples', 'It says "Score of Assistant 1: 10".'],
);
const proseLines = fc.array(prose, { maxLength: 4 });

/** An answer with both scores. */
const whole: fc.Arbitrary<Composed> = fc
  .tuple(proseLines, label, number, fc.tuple(score, score), fc.boolean())
  .map(([lines, labelOf, write, [first, second], isTurned]) => {
    const own = [`${labelOf(1)}: ${write(first)}`, `${labelOf(2)}: ${write(second)}`];
    const ends = isTurned ? own.reverse() : own;
    return { text: [...lines, ...ends].join('\n'), scores: [first, second] };
  });

/** An answer of which at least one score is none. */
const broken: fc.Arbitrary<Composed> = fc
  .tuple(proseLines, label, fc.tuple(noScore, score), fc.constantFrom('first', 'second', 'missing'))
  .map(([lines, labelOf, [wrong, right], which]) => {
    const first = `${labelOf(1)}: ${which === 'first' ? wrong : right}`;
    const second = `${labelOf(2)}: ${which === 'second' ? wrong : right}`;
    const own = which === 'missing' ? [first] : [first, second];
    return { text: [...lines, ...own].join('\n'), scores: null };
  });

/** Prose alone. */
const proseOnly: fc.Arbitrary<Composed> = proseLines.map((lines) => ({
  text: lines.join('\n'),
  scores: null,
}));

describe('10,000 composed answers', () => {
  test('never a wrong number is taken for a score, and whole answers are read', () => {
    let [read, unread] = [0, 0];
    fc.assert(
      fc.property(fc.oneof(whole, broken, proseOnly), ({ text, scores }) => {
        const parsed = parseScores(text);
        if (!parsed.isParsed) {
          unread += 1;
          // What is not read is asked for again; a whole answer in a usual form must be read.
          expect(scores, text).toBeNull();
          return;
        }
        read += 1;
        expect([parsed.score1, parsed.score2], text).toEqual(scores);
      }),
      { numRuns: 10_000, seed: 2308 },
    );
    expect(read).toBeGreaterThan(2000);
    expect(unread).toBeGreaterThan(2000);
  });

  test('texts of any characters are never scores outside 1 to 10', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer(), (noise, value) => {
        const parsed = parseScores(
          `${noise}\nAssistant 1: ${value}\nAssistant 2: ${value}${noise}`,
        );
        if (!parsed.isParsed) return;
        for (const one of [parsed.score1, parsed.score2]) {
          expect(one).toBeGreaterThanOrEqual(1);
          expect(one).toBeLessThanOrEqual(10);
        }
      }),
      { numRuns: 500, seed: 1862 },
    );
  });
});
