import { describe, expect, it } from 'vitest';
import { recordWith } from '../__fixtures__/small-benchmark.js';
import type { LoongRecord } from '../record.js';
import { normaliseTitle, numbersIn } from './normalise.js';
import { chainScore, groupingF1, scoreByRule } from './score-by-rule.js';

const score = (fields: Partial<LoongRecord>, response: string) =>
  scoreByRule(recordWith(fields), response);

describe('scoreByRule', () => {
  it('compares labels of judgments as sets, and in order where that is asked', async () => {
    const range = {
      ...{ type: 'legal', question: '这些判决文书中，哪几篇' },
      answer: '《判决文书3》，《判决文书8》',
    };
    expect(await score(range, '是《判决文书8》和《判决文书3》。')).toBe(100);
    expect(await score(range, '《判决文书3》')).toBe(0);
    const ordered = { ...range, question: '请按顺序列举' };
    expect(await score(ordered, '《判决文书3》，《判决文书8》')).toBe(100);
    expect(await score(ordered, '《判决文书8》，《判决文书3》')).toBe(0);
  });

  it('finds numbers however they are printed', async () => {
    const eps = { level: 1 as const, answer: '-$0.04' };
    expect(await score(eps, 'The EPS is $(0.04).')).toBe(100);
    expect(await score(eps, 'The EPS is $0.04.')).toBe(0);
    const large = { level: 1 as const, answer: '144,480.00' };
    expect(await score(large, '为144480元')).toBe(100);
    expect(await score(large, '为14.448万元')).toBe(100);
    expect(await score(large, '为144,481.00元')).toBe(0);
    const trend = { level: 4 as const, answer: '2,000 in 2022, 3,000 in 2023' };
    expect(await score(trend, 'From 2,000 in 2022 it went to 4,000 in 2023.')).toBe(75);
  });

  it('takes the company that an answer settles on', async () => {
    const fields = { doc: ['ACME', 'ACME Holding', 'Zenith'], answer: 'ACME Holding' };
    const highest = { ...fields, question: 'Which has the highest profit?' };
    expect(await score(highest, 'Zenith has 3 and **acme holding** 4, so: ACME Holding')).toBe(100);
    expect(await score(highest, 'It is ACME.')).toBe(0);
    expect(await score(highest, '')).toBe(0);
  });

  it('scores groupings by pairs and chains by their beginning', async () => {
    const gold = { a: ['x', 'y', 'z'], b: ['w'] };
    expect(groupingF1(gold, { one: ['X', 'y', '"z"'], two: ['w'] })).toBe(1);
    // 3 pairs in gold, 2 found, 1 in both: 2 * 1 / 5.
    expect(groupingF1(gold, { a: ['x', 'y'], b: ['z', 'w'] })).toBeCloseTo(0.4, 12);
    expect(groupingF1({ a: ['x'], b: ['y'] }, { a: ['x', 'y'] })).toBe(0.5);
    const grouping = { level: 3 as const, answer: gold };
    expect(await score(grouping, '```json\n{"a": ["x","y","z"], "b": ["w"],}\n```')).toBe(100);
    expect(await score(grouping, 'no json')).toBe(0);
    expect(chainScore(['# A ', '# B ', '# C '], ['a', 'B', 'x'])).toBeCloseTo(66.67, 1);
    const chain = { level: 4 as const, type: 'paper', answer: ['# A ', '# B '] };
    expect(await score(chain, 'The chain is ["A", "B"].')).toBe(100);
  });

  it('gives 100 to the same groups alone', async () => {
    const grouping = { level: 3 as const, answer: { a: ['x', 'y'], b: ['w'] } };
    expect(await score(grouping, '{"b": ["W"], "a": ["y", "x"]}')).toBe(100);
    // Every pair is right here, and the score shows all the same that something is not.
    expect(await score(grouping, '{"a": ["x", "y"]}')).toBe(99);
    expect(await score(grouping, '{"b": ["x", "y"], "a": ["w"]}')).toBe(99);
  });

  it('compares values as numbers', async () => {
    const list = { level: 2 as const, answer: { a: 1.5, b: 1500 } };
    expect(await score(list, '{"a": "1.50", "b": "1,500"}')).toBe(100);
    expect(await score(list, '{"a": 15, "b": 1500}')).toBe(0);
    const trend = { level: 4 as const, answer: { 2021: 1.5, 2022: 2, trend: 'rising' } };
    expect(await score(trend, '{"2021": 1.5, "2022": 2.0, "trend": "Rising"}')).toBe(100);
    expect(await score(trend, '{"2021": 15, "2022": 2, "trend": "rising"}')).toBe(0);
    const share = { level: 2 as const, answer: { a: '1.5%' } };
    expect(await score(share, '{"a": "1.5 %"}')).toBe(100);
    expect(await score(share, '{"a": "15%"}')).toBe(0);
    const loss = { level: 2 as const, answer: { a: -1234 } };
    expect(await score(loss, '{"a": "$(1,234)"}')).toBe(100);
    expect(await score(loss, '{"a": "1,234"}')).toBe(0);
  });

  it('compares mappings whole', async () => {
    const links = { level: 4 as const, type: 'legal', answer: { '《判决文书1》': '判决结果5' } };
    expect(await score(links, '{"《判决文书1》": "判决结果5"}')).toBe(100);
    expect(await score(links, '{"判决文书1": "判决结果4"}')).toBe(0);
    const cites = {
      ...{ level: 3 as const, type: 'paper' },
      answer: { Reference: ['# T '], Citation: [] },
    };
    expect(await score(cites, '{"Reference": ["T"]}')).toBe(100);
    expect(await score(cites, '{"Reference": ["T"], "Citation": ["U"]}')).toBe(0);
  });
});

describe('normalise', () => {
  it('reads numbers with signs, scales and shares', () => {
    const values = (text: string) => numbersIn(text).map(({ value }) => value);
    expect(values('(1,234.5) and -2 and $(3) but 4')).toEqual([-1234.5, -2, -3, 4]);
    expect(values('3 million, 2.5亿, 7%')).toEqual([3e6, 2.5e8, 7]);
    expect(numbersIn('7%')[0]?.isPercent).toBe(true);
    expect(normaliseTitle('# HuBERT: Self-Supervised ')).toBe(
      normaliseTitle('"hubert self-supervised"'),
    );
  });
});
