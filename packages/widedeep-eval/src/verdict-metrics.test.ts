import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createRandom } from '@lab/core';
import { cohenKappa } from '@lab/metrics';
import { describe, expect, test } from 'vitest';
import { majority } from './readers/pandalm.js';
import {
  compareJudges,
  type LabelledVerdict,
  verdictMetrics,
  withoutTies,
} from './verdict-metrics.js';
import type { Verdict } from './verdict.js';

const random = createRandom(1);
const quick = { random, resamples: 200 };

/** Three annotators and two judges of the 999 pairs of PandaLM, a character for each pair. */
const labels = JSON.parse(
  readFileSync(fileURLToPath(new URL('../test/data/pandalm-labels.json', import.meta.url)), 'utf8'),
) as Record<'annotator1' | 'annotator2' | 'annotator3' | 'gpt' | 'pandalm', string>;
const verdictsOf = (codes: string): (Verdict | null)[] =>
  [...codes].map((code) => (code === '0' ? 'tie' : code === '?' ? null : (code as Verdict)));
const annotators = [labels.annotator1, labels.annotator2, labels.annotator3].map(
  (codes) => verdictsOf(codes) as Verdict[],
);
const gold = annotators[0]!.map((_, at) => majority(annotators.map((verdicts) => verdicts[at]!)));
const against = (predicted: readonly (Verdict | null)[]): LabelledVerdict[] =>
  gold.map((verdict, at) => ({ gold: verdict, predicted: predicted[at]! }));

describe('the stored verdicts of PandaLM, to four decimals', () => {
  test('the majority of annotators', () => {
    const count = (verdict: Verdict) => gold.filter((one) => one === verdict).length;
    expect([count('tie'), count('1'), count('2')]).toEqual([105, 422, 472]);
  });

  const four = (value: number) => value.toFixed(4);
  const summary = (predicted: readonly (Verdict | null)[]) => {
    const { accuracy, macro, kappa } = verdictMetrics(against(predicted), quick);
    return [accuracy.value, macro.precision, macro.recall, macro.f1, kappa.value].map(four);
  };

  test('pandalm-7b', () => {
    expect(summary(verdictsOf(labels.pandalm))).toEqual([
      '0.6677',
      '0.5738',
      '0.5750',
      '0.5743',
      '0.4354',
    ]);
  });

  test('gpt-3.5-turbo, garbage as ties', () => {
    const ties = verdictsOf(labels.gpt).map((verdict) => verdict ?? 'tie');
    expect(summary(ties)).toEqual(['0.7107', '0.5879', '0.5736', '0.5755', '0.4958']);
  });

  test('gpt-3.5-turbo, garbage as wrong', () => {
    const { accuracy, kappa, unjudged } = verdictMetrics(against(verdictsOf(labels.gpt)), quick);
    expect([four(accuracy.value), four(kappa.value), unjudged]).toEqual(['0.6977', '0.4755', 25]);
  });

  test('kappas of the three pairs of annotators', () => {
    const [one, two, three] = annotators as [Verdict[], Verdict[], Verdict[]];
    expect(
      [cohenKappa(one, two), cohenKappa(one, three), cohenKappa(two, three)].map(four),
    ).toEqual(['0.8520', '0.8789', '0.8617']);
  });
});

const pairs = (text: string): LabelledVerdict[] =>
  text.split(' ').map((code) => ({
    gold: code[0] === '0' ? 'tie' : (code[0] as Verdict),
    predicted: code[1] === '?' ? null : code[1] === '0' ? 'tie' : (code[1] as Verdict),
  }));

test('values by hand', () => {
  const { accuracy, kappa, recall, confusion, unjudged } = verdictMetrics(
    pairs('11 12 22 00 1? 02'),
    quick,
  );
  expect(accuracy.value).toBe(0.5);
  // Agreement 1/2; by chance (3*1 + 1*3 + 2*1) / 36.
  expect(kappa.value).toBeCloseTo((1 / 2 - 8 / 36) / (1 - 8 / 36), 12);
  expect(recall).toEqual({ '1': 1 / 3, '2': 1, tie: 1 / 2 });
  expect([confusion, unjudged]).toEqual([
    [
      [1, 1, 0, 1],
      [0, 1, 0, 0],
      [0, 1, 1, 0],
    ],
    1,
  ]);
});

test('a class that people never gave has no recall and no part in the means', () => {
  const { recall, macro } = verdictMetrics(pairs('11 12 22 20'), quick);
  expect(recall.tie).toBeNull();
  expect(macro.recall).toBe(0.5);
});

test('intervals hold the value, and are the same from the same seed', () => {
  const samples = Array.from({ length: 40 }, (_, at) => pairs(at % 3 === 0 ? '12' : '11')[0]!);
  const one = verdictMetrics(samples, quick);
  expect(one).toEqual(verdictMetrics(samples, { ...quick, random: createRandom(1) }));
  expect(one.accuracy.low).toBeLessThan(one.accuracy.value);
  expect(one.accuracy.high).toBeGreaterThan(one.accuracy.value);
});

test('without ties a predicted tie counts one half', () => {
  expect(withoutTies(pairs('11 10 12 00 1?'), quick)).toMatchObject({
    n: 4,
    accuracy: { value: 3 / 8 },
  });
  expect(withoutTies(pairs('00'), quick)).toBeNull();
});

test('two judges on the same samples', () => {
  const both = Array.from({ length: 60 }, (_, at) => ({
    gold: '1' as const,
    first: (at % 10 === 0 ? '2' : '1') as Verdict,
    second: (at % 2 === 0 ? '2' : '1') as Verdict,
  }));
  const { accuracy, mcNemar, n } = compareJudges(both, { random, resamples: 500 });
  expect([n, accuracy.estimate]).toEqual([60, 0.4]);
  expect(accuracy.pValue).toBeLessThan(0.05);
  expect([mcNemar.onlyFirst, mcNemar.onlySecond]).toEqual([24, 0]);
});

test('no samples are an error', () => {
  expect(() => verdictMetrics([], quick)).toThrow(/no sample has a verdict of people/);
});
