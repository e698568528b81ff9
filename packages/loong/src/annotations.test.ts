import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import {
  answersToGrade,
  readAnnotations,
  writeAnnotationPage,
  writeAnnotations,
} from './annotations.js';
import { judgeAgreement } from './judge-agreement.js';
import type { ScoredRecord } from './scored-record.js';

const scoredWith = (id: string, fields: Partial<ScoredRecord> = {}): ScoredRecord => ({
  record: recordWith({ id, question: `Question ${id}?`, answer: `gold ${id}` }),
  ...{
    answer: null,
    status: 'ok',
    coverage: 'all-documents',
    response: `said, "${id}"\nand more`,
    score: 50,
  },
  ...{ missing: null, explanation: '', ruleScore: null, costUsd: null },
  ...fields,
});
const file = (name = 'annotations.csv') => join(temporaryFolder(), name);

describe('answers for people', () => {
  it('are judged ones, as many as wished, and the same each time', () => {
    const all = Array.from({ length: 40 }, (_, at) => scoredWith(`q${at}`));
    const open = [scoredWith('none', { score: null }), scoredWith('empty', { response: ' ' })];
    const chosen = answersToGrade([...open, ...all], { count: 10, seed: 1 });
    expect(chosen).toHaveLength(10);
    expect(chosen.every(({ score }) => score !== null)).toBe(true);
    expect(answersToGrade([...open, ...all], { count: 10, seed: 1 })).toEqual(chosen);
    expect(answersToGrade([...open, ...all], { count: 10, seed: 2 })).not.toEqual(chosen);
    expect(answersToGrade([...open, ...all], { count: 99, seed: 1 })).toHaveLength(40);
  });

  it('come back as they were filled in, without those left open', async () => {
    const path = file();
    await writeAnnotations(path, [scoredWith('a'), scoredWith('b'), scoredWith('c')]);
    const text = readFileSync(path, 'utf8');
    expect(text.split('\n')[0]).toBe('id,kind,question,gold answer,answer,annotator,grade');
    expect(text).not.toContain('50');
    const filled = text.replace(/(q?a,.*?),,\n/s, '$1,Ada,75\n').replace(/,,\n$/, ',,0\n');
    writeFileSync(path, filled);
    expect(await readAnnotations(path)).toEqual([
      { id: 'a', grade: 75, annotator: 'Ada' },
      { id: 'c', grade: 0, annotator: 'annotations' },
    ]);
  });

  it.each([
    ['id,grade\na,101\n', /line 2|"101" is no grade/],
    ['id,grade\na,good\n', /"good" is no grade/],
    ['id,answer\na,b\n', /no column "grade"/],
    ['grade\n5\n', /no column "id"/],
  ])('%j is an error', async (text, message) => {
    const path = file();
    writeFileSync(path, text);
    await expect(readAnnotations(path)).rejects.toThrow(message);
  });

  it('stand on a page without the judge', () => {
    const path = file('page.html');
    const one = scoredWith('a', { score: 87, explanation: 'The judge says so.' });
    writeAnnotationPage(path, [one], { command: 'loong evaluate', fileName: 'a.csv' });
    const html = readFileSync(path, 'utf8');
    expect(html).toContain('gold a');
    expect(html).toContain('50, half of it');
    expect(html).not.toContain('The judge says so.');
    expect(html).not.toMatch(/\b87\b/);
  });
});

describe('judgeAgreement', () => {
  const scored = [
    scoredWith('a', { score: 100 }),
    scoredWith('b', { score: 80 }),
    scoredWith('c', { score: 0 }),
    scoredWith('d', { score: null }),
  ];
  const by = (annotator: string, grades: Readonly<Record<string, number>>) =>
    Object.entries(grades).map(([id, grade]) => ({ id, grade, annotator }));

  it('is worked out by hand', () => {
    const people = [...by('Ada', { a: 100, b: 50, c: 0, d: 75, x: 1 }), ...by('Bob', { b: 100 })];
    const found = judgeAgreement(scored, people, { resamples: 500 });
    expect(found).toMatchObject({ n: 3, annotators: 2, meanJudge: 60, samePerfect: 1 });
    expect(found.meanPeople).toBeCloseTo((100 + 75 + 0) / 3, 12);
    expect(found.difference.value).toBeCloseTo(5 / 3, 12);
    expect(found.difference.low).toBeGreaterThanOrEqual(0);
    expect(found.difference.high).toBeLessThanOrEqual(5);
    expect(found.meanDistance).toBeCloseTo(5 / 3, 12);
    expect(found.spearman).toBeCloseTo(1, 12);
    expect(found.kappa).toBe(1); // 80 is nearest to 75
  });

  it('tells a judge that is too kind, and one that does not vary', () => {
    const people = by('Ada', { a: 75, b: 25, c: 0 });
    const { difference, samePerfect, kappa } = judgeAgreement(scored, people);
    expect(difference.value).toBeCloseTo(80 / 3, 12);
    expect(samePerfect).toBeCloseTo(2 / 3, 12);
    expect(kappa).toBeLessThan(1);
    const same = scored.map((one) => ({ ...one, score: 50 }));
    expect(judgeAgreement(same, people).spearman).toBeNull();
  });

  it('needs graded answers of the run', () => {
    expect(() => judgeAgreement(scored, by('Ada', { x: 1 }))).toThrow(/none of 1 graded/);
  });
});
