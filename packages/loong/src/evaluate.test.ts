import { createPriceTable } from '@lab/llm';
import { mean } from '@lab/metrics';
import { describe, expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import { compareScores } from './compare.js';
import { evaluateScores } from './evaluate.js';
import { planAnswers } from './plan.js';
import { resolveConfig } from '@lab/core';
import { loongConfig } from './config.js';
import type { LoongRecord } from './record.js';
import type { ScoredRecord } from './scored-record.js';

const scored = (
  fields: Partial<LoongRecord>,
  score: number | null,
  more: Partial<ScoredRecord> = {},
): ScoredRecord => ({
  record: recordWith(fields),
  ...{
    answer: null,
    status: 'ok',
    coverage: 'all-documents',
    response: 'r',
    score,
    explanation: 'e',
    ruleScore: score,
  },
  ...{ missing: score === null ? 'no-score' : null, costUsd: null },
  ...more,
});

const five = [
  scored({ id: '1', level: 1, set: 1 }, 100),
  scored({ id: '2', level: 1, set: 2 }, 50),
  scored({ id: '3', level: 3, set: 2, language: 'zh' }, 100, { ruleScore: 0 }),
  scored({ id: '4', level: 3, set: 2 }, null),
  scored({ id: '5', level: 3, set: 1, type: 'paper' }, 99),
];

describe('evaluateScores', () => {
  it('gives average score and perfect rate of every group as worked out by hand', () => {
    const { overall, byLevel, bySet, byLevelAndSet, missing, rules, byLanguage, bySubtask } =
      evaluateScores(five, { resamples: 200 });
    expect(overall).toMatchObject({ n: 5, scored: 4, missing: 1 });
    expect(overall.averageScore!.value).toBeCloseTo(87.25, 12);
    expect(overall.perfectRate!.value).toBeCloseTo(0.5, 12);
    expect(byLevel.map(({ averageScore }) => averageScore!.value)).toEqual([75, 99.5]);
    expect(bySet.map(({ perfectRate, missing: none }) => [perfectRate!.value, none])).toEqual([
      [0.5, 0],
      [0.5, 1],
    ]);
    expect(byLevelAndSet.map((row) => row.map(({ averageScore }) => averageScore!.value))).toEqual([
      [100, 50],
      [99, 100],
    ]);
    expect(byLanguage.map(({ name, n }) => [name, n])).toEqual([
      ['en', 4],
      ['zh', 1],
    ]);
    expect(bySubtask.map(({ name }) => name)).toEqual([
      ...['spotlight', 'report-integration', 'citation-reference'],
    ]);
    expect(missing).toEqual({ 'no-score': 1 });
    expect(rules).toMatchObject({ n: 4, meanRule: mean([100, 50, 0, 99]), samePerfect: 0.75 });
  });

  it('counts missing scores as 0 when told to, and never as a score otherwise', () => {
    const { overall } = evaluateScores(five, { resamples: 200, missing: 'zero' });
    expect(overall.averageScore!.value).toBeCloseTo(69.8, 12);
    expect(overall.perfectRate!.value).toBeCloseTo(0.4, 12);
    const none = evaluateScores([five[3]!], { resamples: 200 }).overall;
    expect(none).toMatchObject({ averageScore: null, perfectRate: null, missing: 1 });
  });

  it('puts intervals around estimates, the same ones each time', () => {
    const { averageScore } = evaluateScores(five).overall;
    expect(averageScore!.low).toBeLessThan(averageScore!.value);
    expect(averageScore!.high).toBeLessThanOrEqual(100);
    expect(evaluateScores(five).overall.averageScore).toEqual(averageScore);
  });

  it('tells questions apart by what their prompts had of the documents', () => {
    const all = [
      scored({ id: '1' }, 100),
      scored({ id: '2' }, 60),
      scored({ id: '3' }, 20, { coverage: 'some-documents' }),
      scored({ id: '4' }, null, { coverage: 'cut-by-server', missing: 'truncated' }),
    ];
    const { byCoverage } = evaluateScores(all, { resamples: 50 });
    expect(
      byCoverage.map(({ name, n, missing, averageScore }) => [
        ...[name, n, missing, averageScore?.value],
      ]),
    ).toEqual([
      ['all documents', 2, 0, 80],
      ['some documents left out', 1, 0, 20],
      ['prompt cut by the server', 1, 1, undefined],
    ]);
  });

  it('finds where the evidence of spotlight questions stood', () => {
    const answer = {
      ...{
        response: '',
        promptHash: '',
        promptTokens: 1,
        docsUsed: ['a', 'b'],
        docsDropped: ['c'],
      },
      ...{ positions: [3, 1], finishReason: 'stop', maxLength: 1 },
    };
    const one = scored({ level: 1, doc: ['a', 'c', 'b'], question: 'What of a?' }, 10, { answer });
    const { byPosition, truncation } = evaluateScores([one], { resamples: 200 });
    expect(byPosition).toMatchObject([{ name: '60 to 80 %', n: 1 }]);
    expect(truncation).toEqual([{ set: 1, n: 1, truncated: 1, droppedShare: 1 / 3 }]);
  });
});

describe('compareScores', () => {
  it('pairs the questions that both have a score for', () => {
    const other = five.map((one) => ({ ...one, score: one.score === null ? 0 : one.score / 2 }));
    const runs = [
      { name: 'a', scored: five },
      { name: 'b', scored: other.toReversed() },
    ];
    const [pair] = compareScores(runs, { resamples: 500 }).pairs;
    expect(pair!.overall.n).toBe(4);
    expect(pair!.overall.difference!.estimate).toBeCloseTo(43.625, 12);
    expect(pair!.overall.perfect).toMatchObject({ onlyFirst: 2, onlySecond: 0 });
    expect(pair!.bySet.map(({ n }) => n)).toEqual([2, 2]);
    expect(() => compareScores([runs[0]!])).toThrow(/at least two/);
    const strangers = [runs[0]!, { name: 'c', scored: [scored({ id: 'z' }, 1)] }];
    expect(() => compareScores(strangers)).toThrow(/no question in common/);
  });
});

describe('planAnswers', () => {
  it('takes the lengths of the file, cut at the window, where there are no documents', async () => {
    const records = [10, 500, 5000].map((length, at) => recordWith({ id: `${at}`, length }));
    const { config } = resolveConfig(loongConfig, {
      set: ['window.maxLength=1000', 'window.reserveOutput=0', 'window.slack=0'],
    });
    const client = { model: 'm', hashOf: () => '' };
    const plan = await planAnswers({ records, config, client, documents: null });
    expect(plan).toMatchObject({ rows: 3, calls: 3, promptTokens: 1510, isExact: false });
    expect(plan.bySet).toEqual([
      { set: 1, rows: 3, promptTokens: 1510, truncated: 1, costUsd: null },
    ]);
  });

  it('prices each set by its own calls, which add up to all', async () => {
    const records = [
      recordWith({ id: 'a', length: 1_000_000 }),
      recordWith({ id: 'b', length: 3_000_000, set: 4 }),
    ];
    const { config } = resolveConfig(loongConfig, { set: ['window.maxLength=9000000'] });
    const prices = createPriceTable({ date: '2026-08-01', models: { m: { in: 2, out: 0 } } });
    const client = { model: 'm', hashOf: () => '' };
    const plan = await planAnswers({ records, config, client, prices, documents: null });
    expect(plan.bySet.map(({ costUsd }) => costUsd)).toEqual([
      { low: 2, high: 2 },
      { low: 6, high: 6 },
    ]);
    expect(plan.costUsd).toEqual({ low: 8, high: 8 });
  });
});
