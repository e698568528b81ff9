import { describe, expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import type { ScoredRecord } from './scored-record.js';
import { judgePairs, meanOfJudges } from './several-judges.js';

const scored = (id: string, score: number | null): ScoredRecord => ({
  record: recordWith({ id }),
  ...{
    answer: null,
    status: 'ok',
    coverage: 'all-documents',
    response: 'r',
    score,
    explanation: `said of ${id}`,
  },
  ...{ missing: score === null ? 'no-score' : null, ruleScore: null, costUsd: null },
});
const run = (judge: string, scores: readonly (number | null)[]) => ({
  judge,
  scored: scores.map((score, at) => scored(`q${at}`, score)),
});

describe('several judges', () => {
  const judges = [run('a', [100, 100, 40, null, null]), run('b', [100, 50, 60, 30, null])];

  it('give the mean of their scores, perfect where all call it so', () => {
    const both = meanOfJudges(judges);
    expect(both.map(({ score }) => score)).toEqual([100, 75, 50, 30, null]);
    expect(both.map(({ missing }) => missing)).toEqual([null, null, null, null, 'no-score']);
    expect(both[3]!.explanation).toBe('a, no score:\nsaid of q3\n\nb, 30:\nsaid of q3');
    expect(meanOfJudges(judges.slice(0, 1))).toEqual(judges[0]!.scored);
    expect(meanOfJudges([])).toEqual([]);
  });

  it('are set side by side on what both have a score for', () => {
    const [pair, ...more] = judgePairs(judges, { resamples: 200 });
    expect(more).toEqual([]);
    expect(pair).toMatchObject({
      ...{ first: 'a', second: 'b', n: 3, meanJudge: 80, meanSecond: 70 },
      ...{ meanDistance: 70 / 3, samePerfect: 2 / 3, difference: { value: 10 } },
    });
    expect(judgePairs([run('a', [1, null]), run('b', [null, 2])])).toEqual([]);
    expect(judgePairs([...judges, run('c', [0, 0, 0, 0, 0])], { resamples: 200 })).toHaveLength(3);
  });
});
