import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { startFakeServer } from '@lab/llm/testing';
import { checkPage, openBrowser, openPage } from '@lab/report/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { loong } from './loong-process.js';

/** Presses keys on a review page, and gives the file that it would download. */
async function decided(page: string, keys: readonly string[]): Promise<string> {
  const browser = openBrowser();
  const opened = await openPage(browser, pathToFileURL(page).href, {
    ...{ width: 1280, scheme: 'light', hasScripts: true },
  });
  for (const key of keys) {
    await opened.evaluate(
      `(document.activeElement ?? document.body).dispatchEvent(` +
        `new KeyboardEvent('keydown', { key: '${key}', bubbles: true, cancelable: true }))`,
    );
  }
  const text = await opened.evaluate(`document.querySelector('ol.review').reviewCsv()`);
  await opened.close();
  await browser.close();
  return String(text);
}

describe.skipIf(!requireProgram('chromium'))('the review of values (needs chromium)', () => {
  it('is decided in a browser, and makes questions of what was kept', async () => {
    const dir = temporaryFolder();
    const docs = join(dir, 'docs');
    mkdirSync(docs);
    for (const [at, name] of ['one', 'two', 'three', 'four'].entries()) {
      const text = `A memo <b>about</b> staff.\nStaff: ${10 + at}\n${'word '.repeat(80)}`;
      writeFileSync(join(docs, `${name}.txt`), text);
    }
    const out = join(dir, 'benchmark');
    const build = ['build', '--docs', docs, '--out', out, '--lengths', '3000'];
    expect((await loong(build)).code).toBe(0);
    const page = join(out, 'review.html');
    const { problems, views } = await checkPage(page);
    expect(problems).toEqual([]);
    expect(views.length).toBeGreaterThanOrEqual(4);
    // Documents are in the order of their names: four, one, three, two.
    const reviewed = join(dir, 'reviewed.csv');
    writeFileSync(reviewed, await decided(page, ['y', 'y', 'n', 'y']));
    const built = await loong([...build, '--reviewed', reviewed]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stdout).toMatch(/questions of 3 values/);
    const questions = readFileSync(join(out, 'questions.jsonl'), 'utf8').trim().split('\n');
    for (const line of questions) {
      expect((JSON.parse(line) as { doc: string[] }).doc).not.toContain('three');
    }
  });
});

describe('questions about texts', () => {
  it('are proposed by a model, decided by people, and asked', async () => {
    const evidence = [1, 2, 3, 4].map((document) => ({ document, quote: 'The memo is short.' }));
    const proposal = { evidence, kind: 'chain', question: 'What is short?', answer: 'Each memo.' };
    const server = await startFakeServer({
      script: { rules: [{ do: 'text', text: JSON.stringify(proposal) }] },
    });
    const dir = temporaryFolder();
    const docs = join(dir, 'docs');
    mkdirSync(docs);
    for (const name of ['one', 'two', 'three']) {
      writeFileSync(join(docs, `${name}.txt`), `About ${name}. The memo is short.\n`);
    }
    const build = ['build', '--docs', docs, '--out', join(dir, 'own'), '--lengths', '1000'];
    try {
      const model = ['--base-url', server.url, '--model', 'm', '--cache', 'off'];
      const offered = await loong([...build, '--text-questions', '2', ...model]);
      expect(offered.code, offered.stderr).toBe(0);
      expect(offered.stdout).toMatch(/1 of 2 proposals quote every document/);
    } finally {
      await server.close();
    }
    const html = readFileSync(join(dir, 'own', 'question-review.html'), 'utf8');
    expect(html).toContain('What is short?');
    const reviewed = join(dir, 'reviewed-questions.csv');
    const row = `"[""one"",""two""]",4,What is short?,Each memo.,"[""a"",""b""]",yes`;
    writeFileSync(reviewed, `docs,level,question,answer,quotes,decision\n${row}\n`);
    const built = await loong([...build, '--reviewed-questions', reviewed]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stdout).toMatch(/1 question of 0 values and 1 text in 3 documents/);
    const checked = await loong(['check', '--data', join(dir, 'own', 'questions.jsonl')]);
    expect(checked.code, checked.stderr).toBe(0);
    expect(checked.stdout).toMatch(/open-question/);
  });
});

describe('a judge beside people', () => {
  const dir = join(temporaryFolder(), 'demo');
  const run = join(dir, 'reader-16k');
  beforeAll(async () => {
    const { code, stderr } = await loong(['demo', '--out', dir]);
    expect(code, stderr).toBe(0);
  });
  const flags = ['--data', join(dir, 'benchmark', 'questions.jsonl')];

  it('is measured by 50 grades of a table', async () => {
    const csv = join(dir, 'annotations.csv');
    const annotated = await loong(['annotate', run, ...flags, '--out', csv, '--json']);
    expect(annotated.code, annotated.stderr).toBe(0);
    expect(JSON.parse(annotated.stdout)).toMatchObject({ answers: 50 });
    const filled = readFileSync(csv, 'utf8').replace(/,,\n/g, ',Ada,75\n');
    writeFileSync(csv, filled);
    const found = await loong(['evaluate', run, ...flags, '--annotations', csv, '--json']);
    expect(found.code, found.stderr).toBe(0);
    const { agreement } = JSON.parse(found.stdout) as { agreement: Record<string, unknown> };
    expect(agreement).toMatchObject({ n: 50, annotators: 1, meanPeople: 75, spearman: null });
    const shown = await loong(['evaluate', run, ...flags, '--annotations', csv]);
    expect(shown.stdout).toMatch(/judge minus people +[+-]?\d+\.\d \(/);
  });

  it.skipIf(!requireProgram('chromium'))('is graded on a page (needs chromium)', async () => {
    const [csv, page] = [join(dir, 'b.csv'), join(dir, 'annotate.html')];
    const args = ['annotate', run, ...flags, '--count', '3', '--out', csv, '--page', page];
    expect((await loong(args)).code).toBe(0);
    expect(existsSync(page)).toBe(true);
    const { problems } = await checkPage(page, { schemes: ['light'] });
    expect(problems).toEqual([]);
    writeFileSync(csv, await decided(page, ['4', '0', '2']));
    const found = await loong(['evaluate', run, ...flags, '--annotations', csv, '--json']);
    expect(found.code, found.stderr).toBe(0);
    const { agreement } = JSON.parse(found.stdout) as { agreement: Record<string, unknown> };
    expect(agreement).toMatchObject({ n: 3, meanPeople: 50 });
  });
});
