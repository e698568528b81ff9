import { describe, expect, it } from 'vitest';
import { smallBenchmark } from '../__fixtures__/small-benchmark.js';
import { makeCorpus } from '../synthetic/corpus.js';
import { countTokens } from '../tokens.js';
import { factsOfTables, knownFacts, unsaidFacts } from './benchmark.js';
import { parseValue } from './fact.js';
import { numbersIn } from '../rules/normalise.js';
import { makeQuestions } from './make-questions.js';
import { changedValue, type Construction, goldOf, type Operation } from './operations.js';

const base = { attribute: 'Size', unit: '', values: { a: 1, b: 5, c: 3 } } as const;
const gold = (operation: Operation, more: Partial<Construction> = {}) =>
  goldOf({ ...base, operation, ...more });

describe('goldOf', () => {
  it('follows from the values', () => {
    expect(gold('which', { wanted: 5 })).toEqual(['b']);
    expect(gold('highest')).toEqual(['b']);
    expect(gold('lowest')).toEqual(['a']);
    expect(gold('list')).toEqual({ a: 1, b: 5, c: 3 });
    expect(gold('at-least', { limits: [3] })).toEqual(['b', 'c']);
    expect(gold('order')).toEqual(['a', 'c', 'b']);
    const classes = ['low', 'medium', 'high'];
    expect(gold('group', { limits: [3, 5], classes })).toEqual({
      ...{ low: ['a'], medium: ['c'], high: ['b'] },
    });
    const words = { values: { a: 'x', b: 'y', c: 'x' } };
    expect(gold('group', words)).toEqual({ x: ['a', 'c'], y: ['b'] });
  });

  it('tells how values go over time', () => {
    const periods = { a: '2021', b: '2022', c: '2023' };
    const trend = (values: Construction['values']) => gold('trend', { periods, values });
    expect(trend({ a: 1, b: 2, c: 3 })).toEqual({
      ...{ 2021: 1, 2022: 2, 2023: 3 },
      trend: 'rising',
    });
    expect(trend({ a: 3, b: 2, c: 1 })).toMatchObject({ trend: 'falling' });
    expect(trend({ a: 1, b: 1, c: 1 })).toMatchObject({ trend: 'constant' });
    expect(trend({ a: 1, b: 3, c: 2 })).toMatchObject({ trend: 'mixed' });
  });

  it('goes by time where names are numbers, whose keys are in an order of their own', () => {
    const periods = { 12: '2021-Q4', 7: '2022-Q1', 9: '2022-Q2' };
    const answer = gold('trend', { periods, values: { 12: 1, 7: 2, 9: 3 } });
    expect(answer).toMatchObject({ trend: 'rising' });
    expect(Object.keys(answer)).toEqual(['2021-Q4', '2022-Q1', '2022-Q2', 'trend']);
  });

  it('groups by values that are names of built-in properties', () => {
    const values = { a: 'constructor', b: 'x', c: 'constructor' };
    expect(gold('group', { values })).toEqual({ constructor: ['a', 'c'], x: ['b'] });
  });
});

describe('makeQuestions', () => {
  it('makes questions over the four tasks, each of whose documents counts', async () => {
    const { records } = await smallBenchmark();
    expect(new Set(records.map(({ level }) => level))).toEqual(new Set([1, 2, 3, 4]));
    expect(new Set(records.map(({ language }) => language))).toEqual(new Set(['en', 'zh']));
    expect(new Set(records.map(({ type }) => type)).size).toBe(3);
    for (const record of records) {
      const construction = record.construction as unknown as Construction;
      const { values } = construction;
      expect(goldOf(construction)).toEqual(record.answer);
      expect(Object.keys(values)).toEqual(record.doc);
      for (const doc of record.doc) {
        const changed = changedValue(construction, doc);
        expect(changed, `${record.question} ${doc}`).not.toBeNull();
        expect(typeof changed).toBe(typeof values[doc]);
        const other = goldOf({ ...construction, values: { ...values, [doc]: changed! } });
        expect(other).not.toEqual(record.answer);
      }
    }
  });

  it('keeps to the lengths, and tells what it could not make', async () => {
    const documents = makeCorpus({ perGroup: 4, characters: 1500 });
    const facts = factsOfTables(documents);
    const { records, notes } = await makeQuestions({ documents, facts, lengths: [2000, 90_000] });
    expect(records.length).toBeGreaterThan(0);
    for (const { set, length } of records) {
      expect(length).toBeLessThanOrEqual([2000, 90_000][set - 1]!);
      if (set === 2) expect(length).toBeGreaterThan(2000);
    }
    expect(notes.join()).toMatch(/none of "trend" with up to 2000 tokens/);
    await expect(makeQuestions({ documents, facts, lengths: [3, 2] })).rejects.toThrow(/rising/);
  });

  it('makes the same questions of the same documents', async () => {
    const [one, other] = [await smallBenchmark(), await smallBenchmark()];
    expect(one.records).toEqual(other.records);
    expect((await smallBenchmark({ seed: 2 })).records).not.toEqual(one.records);
  });

  it('makes questions about a time series', async () => {
    const years = ['2020', '2021', '2022', '2023'];
    const documents = years.map((year) => ({
      ...{ name: `report ${year}`, title: `report ${year}`, type: 'own', language: 'en' as const },
      text: `Revenue of ${year}.`,
    }));
    const facts = years.map((period, at) => ({
      ...{
        doc: `report ${period}`,
        attribute: 'Revenue',
        value: 10 * at,
        unit: 'k',
        entity: 'Acme',
      },
      period,
    }));
    const { records } = await makeQuestions({ documents, facts, lengths: [5000], perCell: 1 });
    const trend = records.find(({ subtask }) => subtask === 'temporal-analysis')!;
    expect(trend.question).toContain('"Acme: Revenue" develop from 2020 to 2023');
    expect(trend.answer).toEqual({ 2020: 0, 2021: 10, 2022: 20, 2023: 30, trend: 'rising' });
  });

  it('compares no values of two units, and says so', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const documents = names.map((name) => ({
      ...{ name, title: name, type: 'own', language: 'en' as const, text: `Revenue of ${name}.` },
    }));
    // 5 million are more than 3000 k: only where units are alike the greatest number is the most.
    const facts = names.map((doc, at) => ({
      ...{ doc, attribute: 'Revenue', entity: 'Acme', period: `202${at}` },
      ...(at < 3 ? { value: 5 + at, unit: 'million' } : { value: 3000 + at, unit: 'k' }),
    }));
    const { records, notes } = await makeQuestions({ documents, facts, lengths: [5000] });
    expect(new Set(records.map(({ level }) => level))).toEqual(new Set([1, 2, 3, 4]));
    for (const { doc, construction } of records) {
      const { unit } = construction as unknown as Construction;
      const own = facts.filter((fact) => fact.unit === unit).map((fact) => fact.doc);
      expect(own).toEqual(expect.arrayContaining([...doc]));
    }
    expect(notes[0]).toBe(
      'own, en: "Revenue" has the units million, k; no question is about two of them',
    );
  });
});

describe('the made-up corpus', () => {
  it('has 60 documents of 1,500 tokens and more in three domains and two languages', async () => {
    const documents = makeCorpus();
    expect(documents).toHaveLength(60);
    expect(new Set(documents.map(({ name }) => name)).size).toBe(60);
    expect(new Set(documents.map(({ type, language }) => `${type} ${language}`)).size).toBe(6);
    let tokens = 0;
    for (const { text } of documents.filter((_, at) => at % 3 === 0))
      tokens += await countTokens(text);
    expect(tokens / 20).toBeGreaterThan(1500);
    const facts = factsOfTables(documents);
    expect(facts).toHaveLength(240);
    expect(unsaidFacts(facts, documents)).toEqual([]);
  });
});

describe('parseValue', () => {
  it.each([
    ['1,234.5', 1234.5],
    ['$1,234', 1234],
    ['$(1,234)', -1234],
    ['($1,234)', -1234],
    ['-$5', -5],
    ['$-5', -5],
    ['−5', -5],
    ['＄（１，２３４）', -1234],
    ['1,23', '1,23'],
    ['3 million', '3 million'],
    ['7%', '7%'],
    ['2024-05-01', '2024-05-01'],
  ])('reads %j as numbersIn does, where all of it is a number', (text, value) => {
    expect(parseValue(text)).toBe(value);
    if (typeof value === 'number') expect(numbersIn(text.normalize('NFKC'))[0]?.value).toBe(value);
  });
});

describe('facts', () => {
  it('need a document, and a document that says them', () => {
    const documents = makeCorpus({ perGroup: 1, characters: 300 });
    const [first] = factsOfTables(documents);
    expect(unsaidFacts([{ ...first!, value: 123_456_789 }], documents)).toHaveLength(1);
    const stray = { ...first!, doc: `${first!.doc}s` };
    expect(() => knownFacts([stray], documents)).toThrow(/which there is not/);
    expect(knownFacts([stray, first!], documents, () => undefined)).toEqual([first]);
  });
});
