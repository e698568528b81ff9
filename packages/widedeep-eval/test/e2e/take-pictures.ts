/**
 * Writes the pictures in `pictures/`, and the one of the README in `docs/figures`: the
 * pages of a run, of one pair and of several runs, wide and narrow, light and dark. Run it from the
 * package after a change of the pages, and look at them:
 * `node --conditions=@lab/source --import tsx test/e2e/take-pictures.ts RUN PAIR COMPARISON`, each
 * a page that `widedeep-eval demo` wrote.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openBrowser, openPage } from '@lab/report/testing';

const [run, pair, comparison] = process.argv.slice(2);
if (run === undefined || pair === undefined || comparison === undefined)
  throw new Error('give the pages of a run, of a pair and of several runs');
/** Small files that can be read. */
const scales = { run: 0.35, pair: 0.5, comparison: 0.35 } as const;
const browser = openBrowser();
for (const [name, file] of Object.entries({ run, pair, comparison })) {
  for (const width of [1280, 400] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      const url = pathToFileURL(resolve(file)).href;
      const page = await openPage(browser, url, { width, scheme, hasScripts: true });
      const target = new URL(`pictures/${name}-${width}-${scheme}.png`, import.meta.url);
      writeFileSync(
        fileURLToPath(target),
        await page.screenshot({ scale: scales[name as keyof typeof scales] }),
      );
      if (name === 'pair' && width === 1280 && scheme === 'light') {
        // What the README shows: the verdict, who prefers what, and the pair.
        const top = new URL('../../../../docs/figures/widedeep-pair.png', import.meta.url);
        writeFileSync(fileURLToPath(top), await page.screenshot({ height: 1240, scale: 0.7 }));
      }
      await page.close();
    }
  }
}
await browser.close();
