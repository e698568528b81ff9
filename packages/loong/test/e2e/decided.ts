import { pathToFileURL } from 'node:url';
import { openBrowser, openPage } from '@lab/report/testing';

/** Presses keys on a review page, and gives the file that it would download. */
export async function decided(page: string, keys: readonly string[]): Promise<string> {
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
