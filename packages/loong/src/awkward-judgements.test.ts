import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseScore } from './judgement.js';

/** What a judge may write, and what a careful reader takes from it: null for no score. */
interface AwkwardJudgement {
  readonly id: string;
  readonly text: string;
  readonly score: number | null;
}

const path = fileURLToPath(new URL('../test/awkward-judgements.json', import.meta.url));
const judgements = JSON.parse(readFileSync(path, 'utf8')) as AwkwardJudgement[];

test('no judgement gives a wrong number', () => {
  const wrong = judgements.filter(({ text, score }) => {
    const parsed = parseScore(text);
    return parsed.score !== null && parsed.score !== score;
  });
  expect(wrong.map(({ id }) => id)).toEqual([]);
});

test('all but two are read as a careful reader reads them; these are asked again', () => {
  const missed = judgements.filter(
    ({ text, score }) => score !== null && parseScore(text).score === null,
  );
  expect(judgements).toHaveLength(60);
  expect(missed.map(({ id }) => id)).toEqual(['chinese-final', 'label-twice']);
});
