import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { checkPage, openBrowser, openPage } from '@lab/report/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { readAnnotations } from '../../src/annotations.js';
import { runProgram, writePairs } from './run-program.js';

describe.skipIf(!requireProgram('chromium'))('pages (needs chromium)', () => {
  const out = join(temporaryFolder(), 'demo');
  let pages: Readonly<Record<'comparison' | 'pair' | 'run', string>>;

  beforeAll(async () => {
    const { code, stdout, stderr } = await runProgram('demo', '--out', out, '--json');
    expect(code, stderr).toBe(0);
    ({ pages } = JSON.parse(stdout) as { pages: typeof pages });
  });

  it.each(['run', 'comparison'] as const)(
    'the page of a %s is sound at 1280 and 400 px, light and dark',
    async (name) => {
      const { problems, views } = await checkPage(pages[name], { scripts: [false] });
      expect(problems).toEqual([]);
      expect(views).toHaveLength(4);
      expect(statSync(pages[name]).size).toBeLessThan(2_000_000);
    },
  );

  it('the page of one pair is sound, with scripts and without', async () => {
    const { problems } = await checkPage(pages.pair);
    expect(problems).toEqual([]);
  });
});

describe.skipIf(!requireProgram('chromium'))('pairs decided on a page (needs chromium)', () => {
  it('come back as annotations with their seconds', async () => {
    const folder = temporaryFolder();
    const [data, run] = [writePairs(6), join(folder, 'run')];
    await runProgram('baseline', 'length', '--data', data, '--out', run);
    const page = join(folder, 'annotate.html');
    const csv = join(folder, 'annotations.csv');
    const flags = ['--share', '0.5', '--out', csv, '--page', page];
    expect((await runProgram('annotate', run, ...flags)).code).toBe(0);
    const { problems } = await checkPage(page, { schemes: ['light'] });
    expect(problems).toEqual([]);
    const browser = openBrowser();
    const opened = await openPage(browser, pathToFileURL(page).href, {
      ...{ width: 1280, scheme: 'light', hasScripts: true },
    });
    for (const key of ['1', '0', '2']) {
      await opened.evaluate(
        `(document.activeElement ?? document.body).dispatchEvent(` +
          `new KeyboardEvent('keydown', { key: '${key}', bubbles: true, cancelable: true }))`,
      );
    }
    const text = await opened.evaluate(`document.querySelector('ol.review').reviewCsv()`);
    await opened.close();
    await browser.close();
    writeFileSync(csv, String(text));
    const found = await readAnnotations(csv);
    expect(found.map(({ label }) => label)).toEqual(['1', 'tie', '2']);
    expect(found.every(({ seconds }) => seconds !== null && seconds < 60)).toBe(true);
    expect(readFileSync(page, 'utf8')).toContain('Which answer is better?');
  });
});
