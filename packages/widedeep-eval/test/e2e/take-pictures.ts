/**
 * Writes the pictures in `pictures/`: the page of a run and that of one pair, wide and narrow,
 * light and dark. Run it from the package after a change of the pages, and look at them:
 * `node --conditions=@lab/source --import tsx test/e2e/take-pictures.ts RUN.html PAIR.html`
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openBrowser, openPage } from '@lab/report/testing';

const [run, pair] = process.argv.slice(2);
if (run === undefined || pair === undefined)
  throw new Error('give the page of a run and of a pair');
/** Small files that can be read. */
const scales = { run: 0.35, pair: 0.5 } as const;
const browser = openBrowser();
for (const [name, file] of Object.entries({ run, pair })) {
  for (const width of [1280, 400] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      const url = pathToFileURL(resolve(file)).href;
      const page = await openPage(browser, url, { width, scheme, hasScripts: true });
      const target = new URL(`pictures/${name}-${width}-${scheme}.png`, import.meta.url);
      writeFileSync(
        fileURLToPath(target),
        await page.screenshot({ scale: scales[name as keyof typeof scales] }),
      );
      await page.close();
    }
  }
}
await browser.close();
