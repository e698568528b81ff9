/**
 * Writes the pictures in `pictures/`: the page of a run, wide and narrow, light and dark. Run it
 * from the package after a change of the page, and look at them:
 * `node --conditions=@lab/source --import tsx test/e2e/take-pictures.ts runs/weak-probe-demo`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openBrowser, openPage } from '@lab/report/testing';

/** Scale of the pictures of the whole page by its width: small files that can be read. */
const scales = { 1280: 0.5, 400: 0.6 } as const;

async function takePictures(run: string): Promise<void> {
  const browser = openBrowser();
  const folder = fileURLToPath(new URL('pictures/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const url = pathToFileURL(resolve(join(run, 'report.html'))).href;
  for (const width of [1280, 400] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      const opened = await openPage(browser, url, { width, scheme, hasScripts: true });
      const picture = await opened.screenshot({ scale: scales[width] });
      writeFileSync(join(folder, `run-${width}-${scheme}.png`), picture);
      await opened.close();
    }
  }
  await browser.close();
}

const run = process.argv[2];
if (run === undefined) throw new Error('give the folder of a run');
await takePictures(run);
