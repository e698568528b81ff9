import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { checkPage } from '@lab/report/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { run as loongHere } from '../../src/__fixtures__/run-program.js';
import { expectedReading } from '../../src/__fixtures__/expected-reading.js';
import { openLibrary } from '../../src/library.js';
import { judgementFolders, readAnswers, readJudgements } from '../../src/read-run.js';
import { readRecords } from '../../src/record.js';
import { orderAsked, overlapScore } from '../../src/synthetic/scripted-reader.js';
import { decided } from './decided.js';
import { loong } from './loong-process.js';

const out = join(temporaryFolder(), 'demo');

beforeAll(async () => {
  const { code, stdout, stderr } = await loong(['demo', '--out', out]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/average score 100\.0 of 100 on the shortest questions/);
  expect(stdout).toMatch(/SCRIPTED reader/);
});

describe('loong demo', () => {
  it('writes benchmark, runs and pages, and can be run again', async () => {
    for (const path of [
      'benchmark/questions.jsonl',
      'reader-32k/report.html',
      'comparison/report.html',
    ]) {
      expect(existsSync(join(out, path))).toBe(true);
    }
    const again = await loong(['demo', '--out', out]);
    expect(again.code, again.stderr).toBe(0);
  });

  it('writes a line for every question, with its gold answer and its score', async () => {
    const records = await readRecords(join(out, 'benchmark', 'questions.jsonl'));
    const lines = readFileSync(join(out, 'reader-16k', 'scores.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ id, gold }) => [id, gold])).toEqual(
      records.map(({ id, answer }) => [id, answer]),
    );
    expect(rows.every(({ score }) => typeof score === 'number')).toBe(true);
    expect(new Set(rows.map(({ coverage }) => coverage))).toEqual(new Set(['all-documents']));
  });

  it.each([32, 16])('a reader of %iK scores 100 below it, and beyond as computed', async (k) => {
    const records = await readRecords(join(out, 'benchmark', 'questions.jsonl'));
    const library = await openLibrary(join(out, 'benchmark'));
    const run = join(out, `reader-${k}k`);
    const [answers, judgements] = [readAnswers(run), readJudgements(judgementFolders(run)[0]!)];
    let [below, beyond] = [0, 0];
    for (const record of records) {
      const { docsUsed, response } = answers.get(record.id)!.output!;
      const windowTokens = 1000 * k;
      const expected = await expectedReading(record, docsUsed, { library, windowTokens });
      expect(JSON.parse(response)).toEqual(expected.answer);
      const isOrdered = orderAsked.test(record.question);
      const [gold, answer] = [record.answer, expected.answer].map((one) => JSON.stringify(one));
      const { score } = judgements.get(record.id)!.output!;
      expect(score).toBe(overlapScore(gold!, answer!, isOrdered));
      if (expected.sawAll) expect(score).toBe(100);
      if (expected.sawAll) below += 1;
      else if (score! < 100) beyond += 1;
    }
    expect([below > 30, beyond > 10]).toEqual([true, true]);
  });
});

describe.skipIf(!requireProgram('chromium'))('the pages (needs chromium)', () => {
  it.each(['reader-32k', 'comparison'])('of %s are sound at 1280 and 400 px', async (folder) => {
    const page = join(out, folder, 'report.html');
    const { problems, views } = await checkPage(page, { scripts: [false] });
    expect(problems).toEqual([]);
    expect(views).toHaveLength(4);
    expect(statSync(page).size).toBeLessThan(2_000_000);
  });

  it('are sound with scripts', async () => {
    const page = join(out, 'reader-32k', 'report.html');
    const { problems } = await checkPage(page, { schemes: ['dark'], scripts: [true] });
    expect(problems).toEqual([]);
  });
});

describe('a judge beside people', () => {
  const run = join(out, 'reader-16k');
  const flags = ['--data', join(out, 'benchmark', 'questions.jsonl')];

  it('is measured by 50 grades of a table', async () => {
    const csv = join(out, 'annotations.csv');
    const annotated = await loongHere(['annotate', run, ...flags, '--out', csv, '--json']);
    expect(annotated.code, annotated.stderr).toBe(0);
    expect(JSON.parse(annotated.stdout)).toMatchObject({ answers: 50 });
    const filled = readFileSync(csv, 'utf8').replace(/,,\n/g, ',Ada,75\n');
    writeFileSync(csv, filled);
    const found = await loongHere(['evaluate', run, ...flags, '--annotations', csv, '--json']);
    expect(found.code, found.stderr).toBe(0);
    const { agreement } = JSON.parse(found.stdout) as { agreement: Record<string, unknown> };
    expect(agreement).toMatchObject({ n: 50, annotators: 1, meanPeople: 75, spearman: null });
    const shown = await loongHere(['evaluate', run, ...flags, '--annotations', csv]);
    expect(shown.stdout).toMatch(/judge minus people +[+-]?\d+\.\d \(/);
  });

  it.skipIf(!requireProgram('chromium'))('is graded on a page (needs chromium)', async () => {
    const [csv, page] = [join(out, 'b.csv'), join(out, 'annotate.html')];
    const args = ['annotate', run, ...flags, '--count', '3', '--out', csv, '--page', page];
    expect((await loongHere(args)).code).toBe(0);
    expect(existsSync(page)).toBe(true);
    const { problems } = await checkPage(page, { schemes: ['light'] });
    expect(problems).toEqual([]);
    writeFileSync(csv, await decided(page, ['4', '0', '2']));
    const found = await loongHere(['evaluate', run, ...flags, '--annotations', csv, '--json']);
    expect(found.code, found.stderr).toBe(0);
    const { agreement } = JSON.parse(found.stdout) as { agreement: Record<string, unknown> };
    expect(agreement).toMatchObject({ n: 3, meanPeople: 50 });
  });
});
