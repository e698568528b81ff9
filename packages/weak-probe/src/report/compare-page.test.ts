import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, expect, test } from 'vitest';
import { organismCollection } from '../__fixtures__/organism.js';
import { run } from '../__fixtures__/run-program.js';
import { collectStates } from '../collect.js';
import { comparisonPage } from './compare-page.js';
import { readRun } from './read-run.js';
import { runPage } from './run-page.js';

const folder = temporaryFolder();
const [bare, chat] = [join(folder, 'bare'), join(folder, 'chat')];

beforeAll(async () => {
  await selectBackend('wasm');
  for (const [dir, format] of [
    [bare, 'direct'],
    [chat, 'chat'],
  ] as const) {
    await collectStates(await organismCollection(dir, { settings: [`data.format=${format}`] }));
  }
});

test('runs stand side by side, with what differs between them', async () => {
  const early = await run(['report', bare, chat, '--out', join(folder, 'none.html')]);
  expect(early.code).toBe(2);
  expect(early.stderr).toContain('has no probes to compare');
  await run(['probe', bare, '--probes', 'svm']);
  const other = ['--transfer', bare, '--learning', '4,8'];
  const { code, stderr } = await run(['probe', chat, '--probes', 'svm', ...other]);
  expect(code, stderr).toBe(0);
  const page = comparisonPage([bare, chat]);
  expect(page.mainFigure!.figure.csv).toMatch(/^bare,5,/m);
  expect(page.mainFigure!.figure.csv).toMatch(/^chat,5,/m);
  const [runs, differing] = [page.sections[0]!.table!, page.sections.at(-1)!.table!];
  expect(runs.rows.map(({ name }) => name)).toEqual(['bare', 'chat']);
  expect(differing.rows).toEqual([{ setting: 'format', bare: 'direct', chat: 'chat' }]);
  const verdicts = page.sections.find(({ heading }) => heading === 'Concept, words, refusal')!;
  expect(verdicts.table!.rows.map(({ name, words }) => [name, words])).toEqual([
    ['bare', 'not measured'],
    ['chat', 'not measured'],
  ]);
  expect(page.warnings[0]).toContain('read different texts');
  const out = join(folder, 'both.html');
  expect((await run(['report', bare, chat, '--out', out])).code).toBe(0);
  expect(existsSync(out)).toBe(true);
  expect(readFileSync(out, 'utf8')).toContain('concept, words, refusal');
});

test('what was carried elsewhere and learnt with fewer prompts stands on the page', async () => {
  const { sections } = await runPage(readRun(chat));
  const titles = sections.flatMap(({ figures = [] }) => figures.map(({ figure }) => figure.title));
  expect(titles.some((title) => title.startsWith('Carried to'))).toBe(true);
  expect(titles.some((title) => title.startsWith('Directions here and in'))).toBe(true);
  expect(titles.some((title) => title.startsWith('Training prompts'))).toBe(true);
});
