/**
 * Writes the pictures in `pictures/`: the whole sample run page and a comparison, wide and narrow,
 * light and dark. Run it from the package after a change of the pages, and look at them:
 * `NODE_OPTIONS=--conditions=@lab/source pnpm exec tsx test/e2e/take-pictures.ts`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compareRuns, readRunFolder, writeComparisonPage, writeRunPage } from '../../src/index.js';
import { openBrowser, openPage } from '../../src/testing.js';
import { samplePage } from './sample-page.js';
import { writeSampleRuns } from './sample-runs.js';

async function takePictures(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'report-pictures-'));
  const runs = writeSampleRuns(join(folder, 'runs')).map((dir) => readRunFolder(dir));
  writeRunPage(join(folder, 'run.html'), samplePage());
  writeComparisonPage(join(folder, 'comparison.html'), compareRuns(runs));
  const browser = openBrowser();
  for (const name of ['run', 'comparison']) {
    for (const width of [1280, 400]) {
      for (const scheme of ['light', 'dark'] as const) {
        const url = pathToFileURL(join(folder, `${name}.html`)).href;
        const page = await openPage(browser, url, { width, scheme, hasScripts: true });
        const scale = width > 600 ? 0.55 : 0.8;
        const target = fileURLToPath(
          new URL(`pictures/${name}-${width}-${scheme}.png`, import.meta.url),
        );
        writeFileSync(target, await page.screenshot({ scale }));
        await page.close();
      }
    }
  }
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

await takePictures();
