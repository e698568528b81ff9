import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { describe, expect, test } from 'vitest';
import { hostile, reviewPage as page } from '../../src/__fixtures__/review-page.js';
import { writeReviewPage } from '../../src/index.js';
import { checkPage, openBrowser, openPage } from '../../src/testing.js';

describe.skipIf(!requireProgram('chromium'))('the review page in Chromium (needs chromium)', () => {
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
