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

const readJudgements = (name: string): AwkwardJudgement[] => {
  const path = fileURLToPath(new URL(`../test/${name}.json`, import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8')) as AwkwardJudgement[];
};
const first = readJudgements('awkward-judgements');
const second = readJudgements('awkward-judgements-2');

/** Those with a score that is not read. */
const missedOf = (judgements: readonly AwkwardJudgement[]) =>
  judgements.filter(({ text, score }) => score !== null && parseScore(text).score === null);

test.each([
  ['the first set', first],
  ['the second set', second],
])('no judgement of %s gives a wrong number', (_, judgements) => {
  const wrong = judgements.filter(({ text, score }) => {
    const parsed = parseScore(text);
    return parsed.score !== null && parsed.score !== score;
  });
  expect(wrong.map(({ id }) => id)).toEqual([]);
});

test('all but one are read as a careful reader reads them; that one is asked again', () => {
  expect(first).toHaveLength(60);
  expect(missedOf(first).map(({ id }) => id)).toEqual(['label-twice']);
});

test('of the second set, written by somebody who had not seen the parser, most are read', () => {
  expect(second).toHaveLength(100);
  const rated = second.filter(({ score }) => score !== null);
  expect(rated.length).toBeGreaterThan(50);
  const read = rated.length - missedOf(second).length;
  // Asked again are above all judgements that take a score back and give another one.
  expect(read / rated.length).toBeGreaterThanOrEqual(0.6);
});
