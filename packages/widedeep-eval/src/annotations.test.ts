import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { readCsv, writeCsv } from '@lab/core/csv';
import { expect, test } from 'vitest';
import { configWith, sampleWith, scored, scriptedModel } from './__fixtures__/scripted-network.js';
import { assistStatistics } from './annotation-statistics.js';
import {
  annotationColumns,
  annotationQuestion,
  mostFrequent,
  readAnnotations,
  withAnnotations,
  writeAnnotations,
} from './annotations.js';
import { builtInFamilies as families } from './families/built-in.js';
import { judgeSample } from './judge-sample.js';
import { sampleWithVerdict } from './readers/stored-verdicts.js';

const { client } = scriptedModel(['A', 'B'], ({ isForward }) =>
  isForward ? scored(8, 4) : scored(3, 6),
);
const sample = sampleWith({ question: 'Why,\n"oh" why?' });
const judgement = await judgeSample(sample, { config: configWith(), families, client });

test('out, filled in, and back in', async () => {
  const path = join(temporaryFolder(), 'out.csv');
  const question = annotationQuestion(sample, judgement, { hasArms: false, seed: 1 });
  expect(question).toMatchObject({ arm: 'assisted', network: '1', uncertainty: 0 });
  expect(question.reasons).toContain('is discussed.');
  await writeAnnotations(path, [question]);
  const rows: string[][] = [];
  await readCsv(path, { header: true }, (row) => rows.push(row));
  expect(rows[0]!.slice(0, 4)).toEqual(['s1', sample.question, sample.answer1, sample.answer2]);
  await writeCsv(path, annotationColumns, [[...rows[0]!.slice(0, -3), 'model2', 'Ada', '12.5']]);
  expect(await readAnnotations(path)).toEqual([
    { id: 's1', label: '2', annotator: 'Ada', arm: 'assisted', seconds: 12.5 },
  ]);
});

test('who judges alone sees nothing of the network, the same pairs for the same seed', () => {
  const ids = Array.from({ length: 60 }, (_, at) => `pair ${at}`);
  const arms = ids.map((id) =>
    annotationQuestion({ ...sample, id }, judgement, { hasArms: true, seed: 1 }),
  );
  const alone = arms.filter(({ arm }) => arm === 'alone');
  expect(alone.length).toBeGreaterThan(20);
  expect(alone.length).toBeLessThan(40);
  expect(alone.every(({ network, reasons }) => network === '' && reasons === '')).toBe(true);
});

test('decisions of the page, open ones, and files that lack a column', async () => {
  const path = join(temporaryFolder(), 'page.csv');
  writeFileSync(path, 'id,decision,seconds\na,1,3\nb,,\n');
  expect(await readAnnotations(path)).toMatchObject([
    { id: 'a', label: '1', annotator: 'page', seconds: 3 },
    { id: 'b', label: null, seconds: null },
  ]);
  writeFileSync(path, 'id,verdict\na,1\n');
  await expect(readAnnotations(path)).rejects.toThrow(/no column "label"/);
  writeFileSync(path, 'id,label\na,good\n');
  await expect(readAnnotations(path)).rejects.toThrow(/line 2: label "good"/);
  writeFileSync(path, 'id,label,seconds\na,1,soon\n');
  await expect(readAnnotations(path)).rejects.toThrow(/line 2: seconds "soon"/);
});

const judged = (id: string, verdict: '1' | '2', gold: '1' | '2' | null = null) =>
  sampleWithVerdict({ id, dataset: 'x', family: 'qa', gold }, verdict);
const label = (
  id: string,
  value: '1' | '2' | 'tie',
  arm: 'alone' | 'assisted',
  annotator: string,
  seconds: number,
) => ({
  ...{ id, label: value, arm, annotator, seconds },
});

test('what most annotators say is gold; without most it is a tie', () => {
  expect(mostFrequent(['1', '1', 'tie'])).toBe('1');
  expect(mostFrequent(['1', '2'])).toBe('tie');
  const annotations = [label('a', '2', 'alone', 'x', 1), label('a', '2', 'alone', 'y', 1)];
  const found = withAnnotations([judged('a', '1', '1'), judged('b', '1', '1')], annotations);
  expect(found.map(({ gold }) => gold)).toEqual(['2', '1']);
  expect(() => withAnnotations([judged('z', '1')], annotations)).toThrow(
    /no annotation is of a pair/,
  );
});

test('time, cost and agreement of both arms', () => {
  const samples = [judged('a', '1', '1'), judged('b', '2', '1'), judged('c', '1', '1')];
  const annotations = [
    label('a', '1', 'alone', 'x', 40),
    label('a', '1', 'alone', 'y', 60),
    label('b', '2', 'assisted', 'x', 10),
    label('c', '1', 'assisted', 'x', 15),
  ];
  const { arms, speedUp } = assistStatistics(samples, annotations, 36);
  expect(speedUp).toBe(4);
  expect(arms[0]).toMatchObject({
    ...{ arm: 'alone', labels: 2, annotators: 2, meanSeconds: 50, costUsd: 0.5 },
    ...{ sameAsNetwork: 1, sameAsGold: 1, betweenAnnotators: 1 },
  });
  expect(arms[1]).toMatchObject({
    arm: 'assisted',
    meanSeconds: 12.5,
    sameAsGold: 0.5,
    betweenAnnotators: null,
  });
});
