import type { TokenLogprob } from '@lab/llm';
import { describe, expect, test } from 'vitest';
import { weightedScores } from './weighted-scores.js';

const plain = (token: string): TokenLogprob => ({
  ...{ token, logprob: 0, top: [{ token, logprob: 0 }] },
});
/** A token beside what else was likely at its place. */
const place = (token: string, shares: Readonly<Record<string, number>>): TokenLogprob => {
  const top = Object.entries(shares).map(([one, share]) => ({
    ...{ token: one, logprob: Math.log(share) },
  }));
  return { token, logprob: Math.log(shares[token]!), top };
};
const text = (first: TokenLogprob, second: TokenLogprob) => [
  ...['Both ', 'name ', '3', ' causes.', '\n', 'Score of Assistant 1', ':', ' '].map(plain),
  first,
  ...['\n', 'Score of Assistant', ' 2', ':', ' '].map(plain),
  second,
];

describe('weightedScores', () => {
  test('are the means of what might stand at their places', () => {
    const tokens = text(
      place('8', { '8': 0.6, '7': 0.3, '9': 0.1 }),
      place('5', { '5': 0.5, '4': 0.5 }),
    );
    const found = weightedScores(tokens, { score1: 8, score2: 5 }, 'text')!;
    expect(found.score1).toBeCloseTo(0.6 * 8 + 0.3 * 7 + 0.1 * 9, 12);
    expect(found.score2).toBeCloseTo(4.5, 12);
  });

  test('take no number behind the score', () => {
    const tokens = text(place('8', { '8': 0.5, '6': 0.5 }), place('5', { '5': 1 }));
    const at = tokens.findIndex(({ token }) => token === '8');
    const longer = [...tokens.slice(0, at + 1), plain('/10'), ...tokens.slice(at + 1)];
    const more = [...longer, plain('\nConfidence: 9')];
    expect(weightedScores(more, { score1: 8, score2: 5 }, 'text')).toEqual({
      ...{ score1: 7, score2: 5 },
    });
  });

  test('of data stand behind their keys', () => {
    const tokens = [
      ...['{"about1":"x","about2":"y","score1"', ':'].map(plain),
      place('10', { '10': 0.9, '9': 0.1 }),
      ...[',"score2"', ':'].map(plain),
      place('2', { '2': 1 }),
      plain('}'),
    ];
    const found = weightedScores(tokens, { score1: 10, score2: 2 }, 'json')!;
    expect(found.score1).toBeCloseTo(9.9, 12);
    expect(found.score2).toBe(2);
  });

  test.each([
    [
      'another score than the one that was read',
      text(place('8', { '8': 1 }), place('5', { '5': 1 })),
      7,
    ],
    [
      'half of the probability on no score',
      text(place('8', { '8': 0.4, x: 0.6 }), place('5', { '5': 1 })),
      8,
    ],
    ['10 in two tokens', text(place('1', { '1': 0.9, '2': 0.1 }), place('5', { '5': 1 })), 10],
    ['no label', [plain('8 and 5')], 8],
    ['no tokens', [], 8],
  ] as const)('cannot be told with %s', (_, tokens, score1) => {
    expect(weightedScores(tokens, { score1, score2: 5 }, 'text')).toBeNull();
  });
});
