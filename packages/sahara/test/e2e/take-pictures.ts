/**
 * Writes pictures of pages: wide and narrow, light and dark. Run it from the package after a change
 * of a page, and look at them:
 * `node --conditions=@lab/source --import tsx test/e2e/take-pictures.ts DIR PAGE.html ...`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openBrowser, openPage } from '@lab/report/testing';

/** Scale of the pictures of the whole page by its width: small files that can be read. */
const scales = { 1280: 0.5, 400: 0.6 } as const;

async function takePictures(dir: string, pages: readonly string[]): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const browser = openBrowser();
  for (const page of pages) {
    const path = resolve(page);
    const name = `${basename(dirname(path))}-${basename(path, '.html')}`;
    for (const width of [1280, 400] as const) {
      for (const scheme of ['light', 'dark'] as const) {
        const url = pathToFileURL(path).href;
        const opened = await openPage(browser, url, { width, scheme, hasScripts: true });
        const target = join(dir, `${name}-${width}-${scheme}.png`);
        writeFileSync(target, await opened.screenshot({ scale: scales[width] }));
        await opened.close();
      }
    }
  }
  await browser.close();
}

const [dir, ...pages] = process.argv.slice(2);
if (dir === undefined || pages.length === 0) throw new Error('give a folder and pages');
await takePictures(dir, pages);
