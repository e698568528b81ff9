/**
 * Writes the pictures in `pictures/`, to be looked at: the page of a run and of a comparison, wide
 * and narrow, light and dark; and the one of the README. Run it from the package after a change of
 * a page:
 * `node --conditions=@lab/source --import tsx test/e2e/take-pictures.ts runs/loong-demo`
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openBrowser, openPage } from '@lab/report/testing';

/** Scale of the pictures of the whole page by its width: small files that can be read. */
const scales = { 1280: 0.5, 400: 0.6 } as const;
/** What the README shows. */
const shown = '../../../../docs/figures/loong-run-top.png';
const pages = { run: 'reader-32k', comparison: 'comparison' } as const;

async function takePictures(demo: string): Promise<void> {
  const browser = openBrowser();
  for (const [page, folder] of Object.entries(pages)) {
    const url = pathToFileURL(resolve(join(demo, folder, 'report.html'))).href;
    for (const width of [1280, 400] as const) {
      for (const scheme of ['light', 'dark'] as const) {
        const opened = await openPage(browser, url, { width, scheme, hasScripts: true });
        const name = `pictures/${page}-${width}-${scheme}.png`;
        const target = fileURLToPath(new URL(name, import.meta.url));
        writeFileSync(target, await opened.screenshot({ scale: scales[width] }));
        if (page === 'run' && width === 1280 && scheme === 'light') {
          // The numbers and the main figure.
          const top = fileURLToPath(new URL(shown, import.meta.url));
          writeFileSync(top, await opened.screenshot({ height: 900, scale: 0.75 }));
        }
        await opened.close();
      }
    }
  }
  await browser.close();
}

const demo = process.argv[2];
if (demo === undefined) throw new Error('give the folder of a demo');
await takePictures(demo);
