import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@lab/core';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { reviewPageHtml, type ReviewPage, writeReviewPage } from './index.js';
import { checkPage, openBrowser, openPage } from './testing.js';

const hostile = '</script><img src=x onerror=alert(1)> "quoted", $& \'';

const question = (number: number, name = `entity ${number}`): ReviewPage['questions'][number] => ({
  cells: [name, `target ${number}`, '0.5', 'why, indeed'],
  source: name,
  target: `target ${number}`,
  names: [{ label: 'source', value: `http://a/${name}` }],
  why: 'most alike by graph (.91)',
  measures: [{ label: 'margin', value: '.012' }],
  evidence: number === 1 ? hostile : undefined,
  others: [`other ${number}`],
});

const page: ReviewPage = {
  title: 'Three pairs to decide',
  sentence: 'Is each one the same thing?',
  eyebrow: 'IBMEA',
  columns: ['source', 'target', 'confidence', 'why'],
  fileName: 'review.csv',
  command: 'ibmea review --run R --decisions review.csv',
  questions: [question(1, hostile), question(2), question(3)],
};

describe('the review page', () => {
  const html = reviewPageHtml(page);
  const { document } = parseHTML(html);

  test('asks for nothing and admits two scripts by their hashes', () => {
    expect(html).toMatch(/script-src 'sha256-[\w+/=]+' 'sha256-[\w+/=]+'/);
    expect(document.querySelectorAll('script').length).toBe(2);
    expect(document.querySelectorAll('[src]').length).toBe(0);
  });

  test('shows untrusted text as text, and keeps it whole for the file', () => {
    expect(document.querySelectorAll('img').length).toBe(0);
    const [first] = document.querySelectorAll('ol.review > li');
    expect(first!.querySelector('pre')!.textContent).toBe(hostile);
    expect(JSON.parse(first!.getAttribute('data-cells')!)).toEqual(page.questions[0]!.cells);
  });

  test('has a question for each pair; what needs a script is hidden without one', () => {
    expect(document.querySelectorAll('ol.review > li').length).toBe(3);
    for (const control of document.querySelectorAll('.bar, .decide, .keys')) {
      expect(control.hasAttribute('hidden')).toBe(true);
    }
    expect(document.querySelectorAll('input[type=radio]').length).toBe(12);
    expect(document.querySelector('header pre')!.textContent).toBe(page.command);
  });

  test('says so when there is nothing to decide', () => {
    expect(reviewPageHtml({ ...page, questions: [] })).toContain('There is nothing to decide.');
  });

  test('is written whole or not at all', () => {
    const path = join(temporaryFolder(), 'review.html');
    expect(writeReviewPage(path, page)).toEqual({ path, bytes: statSync(path).size });
    expect(readFileSync(path, 'utf8')).toBe(html);
    expect(() => writeReviewPage('/no/such/folder/x.html', page)).toThrow(DataError);
  });
});

describe.skipIf(!requireProgram('chromium'))('the review page (needs chromium)', () => {
  const path = join(temporaryFolder(), 'review.html');
  writeReviewPage(path, page);

  test('is sound on a narrow screen, in both schemes', async () => {
    const found = await checkPage(path, { widths: [400], scripts: [true] });
    expect(found.problems).toEqual([]);
  });

  test('takes decisions by keys and by name, keeps them, and gives the file back', async () => {
    const browser = openBrowser();
    const view = { width: 1280, scheme: 'light', hasScripts: true } as const;
    const tab = await openPage(browser, `file://${path}`, view);
    const press = (key: string) =>
      tab.evaluate(
        `(document.activeElement ?? document.body).dispatchEvent(` +
          `new KeyboardEvent('keydown', { key: '${key}', bubbles: true, cancelable: true }))`,
      );
    for (const key of ['j', 'y', 'n', 'o']) await press(key);
    await tab.evaluate(
      `(() => { const text = document.activeElement; text.value = 'other, 3';` +
        `text.dispatchEvent(new Event('input', { bubbles: true })); })()`,
    );
    const csv = await tab.evaluate(`document.querySelector('ol.review').reviewCsv()`);
    const [, first, ...rest] = String(csv).split('\n');
    expect(first).toBe(`"${hostile.replaceAll('"', '""')}",target 1,0.5,"why, indeed",yes`);
    expect(rest).toEqual([
      'entity 2,target 2,0.5,"why, indeed",no',
      'entity 3,target 3,0.5,"why, indeed","other, 3"',
      '',
    ]);
    const told = await tab.evaluate(`document.querySelector('.bar output').textContent`);
    expect(told).toBe('3 of 3 decided, not downloaded');
    const again = await openPage(browser, `file://${path}`, view);
    expect(await again.evaluate(`document.querySelector('ol.review').reviewCsv()`)).toBe(csv);
    expect([...tab.errors, ...again.errors, ...tab.requests]).toEqual([]);
    await browser.close();
  });
});
