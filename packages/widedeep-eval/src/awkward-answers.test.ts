import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseScores } from './scores.js';

/** An answer and what a careful reader takes from it; written by somebody else. */
interface AwkwardAnswer {
  readonly id: string;
  readonly form: 'choice' | 'scores';
  readonly text: string;
  readonly expected: { readonly status: string; readonly scores?: readonly [number, number] };
}

const path = fileURLToPath(new URL('../test/awkward-answers.json', import.meta.url));
const answers = JSON.parse(readFileSync(path, 'utf8')) as AwkwardAnswer[];
const scoresOf = (text: string): readonly [number, number] | null => {
  const parsed = parseScores(text);
  return parsed.isParsed ? [parsed.score1, parsed.score2] : null;
};
const withScores = answers.filter(({ form }) => form === 'scores');

test('no answer gives a wrong number', () => {
  const wrong = withScores.filter(({ text, expected }) => {
    const scores = scoresOf(text);
    return scores !== null && `${scores}` !== `${expected.scores ?? null}`;
  });
  expect(wrong.map(({ id }) => id)).toEqual([]);
});

test('all but six are read as a careful reader reads them; these are asked again', () => {
  const missed = withScores.filter(
    ({ text, expected }) => expected.scores !== undefined && scoresOf(text) === null,
  );
  expect(withScores).toHaveLength(60);
  expect(missed.map(({ id }) => id)).toEqual([
    'scores-revised-one-side-only',
    'scores-fractions-over-ten',
    'scores-chinese-numerals',
    'scores-words-out-of-ten',
    'scores-roman-numerals',
    'scores-same-number-for-both',
  ]);
});

test('an answer that chooses is no scores, except where it gives them', () => {
  const choices = answers.filter(({ form }) => form === 'choice');
  const read = choices.filter(({ text }) => scoresOf(text) !== null);
  expect(read.map(({ id }) => id)).toEqual(['choice-scores-instead']);
});
