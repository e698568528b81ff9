import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseScores } from './scores.js';

/** An answer and what a careful reader takes from it; written by somebody else. */
interface AwkwardAnswer {
  readonly id: string;
  readonly form: 'choice' | 'scores';
  readonly text: string;
  readonly expected: {
    readonly status: string;
    readonly scores?: readonly [number, number] | null;
  };
}

const answersOf = (name: string): AwkwardAnswer[] => {
  const path = fileURLToPath(new URL(`../test/${name}`, import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8')) as AwkwardAnswer[];
};
const answers = answersOf('awkward-answers.json');
/** Written when the parser was there already, by somebody who did not know it. */
const later = answersOf('awkward-answers-2.json');
const scoresOf = (text: string): readonly [number, number] | null => {
  const parsed = parseScores(text);
  return parsed.isParsed ? [parsed.score1, parsed.score2] : null;
};
const withScores = answers.filter(({ form }) => form === 'scores');

/** Answers that give other numbers than a careful reader takes. */
const misread = (some: readonly AwkwardAnswer[]): string[] =>
  some
    .filter(({ text, expected }) => {
      const scores = scoresOf(text);
      return scores !== null && `${scores}` !== `${expected.scores ?? null}`;
    })
    .map(({ id }) => id);
/** Answers whose numbers a careful reader takes, and which are asked again. */
const missedOf = (some: readonly AwkwardAnswer[]): string[] =>
  some
    .filter(({ text, expected }) => (expected.scores ?? null) !== null && scoresOf(text) === null)
    .map(({ id }) => id);

test('no answer gives a wrong number', () => {
  expect(misread(withScores)).toEqual([]);
  expect(misread(later)).toEqual([]);
});

test('all but six are read as a careful reader reads them; these are asked again', () => {
  expect(withScores).toHaveLength(60);
  expect(missedOf(withScores)).toEqual([
    'scores-revised-one-side-only',
    'scores-fractions-over-ten',
    'scores-chinese-numerals',
    'scores-words-out-of-ten',
    'scores-roman-numerals',
    'scores-same-number-for-both',
  ]);
});

test('of those that were written later four fifths are read as labelled; no other is read', () => {
  const asLabelled = later.filter(
    ({ text, expected }) => `${scoresOf(text)}` === `${expected.scores ?? null}`,
  );
  expect(later).toHaveLength(50);
  expect(asLabelled.length).toBeGreaterThanOrEqual(40);
  expect(missedOf(later)).toHaveLength(later.length - asLabelled.length);
});

test('an answer that chooses is no scores, except where it gives them', () => {
  const choices = answers.filter(({ form }) => form === 'choice');
  const read = choices.filter(({ text }) => scoresOf(text) !== null);
  expect(read.map(({ id, text }) => [id, scoresOf(text)])).toEqual([
    ['choice-scores-instead', [8, 5]],
  ]);
});
