import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { checkPage, openBrowser, openPage } from '@lab/report/testing';
const browser = openBrowser();
for (const [name, file, width] of [
  ['both-1280', '/tmp/wdemo/both/report.html', 1280],
  ['run-400', '/tmp/wdemo/widedeep/report.html', 400],
  ['both-400', '/tmp/wdemo/both/report.html', 400],
] as const) {
  const page = await openPage(browser, pathToFileURL(file).href, { width, scheme: 'light', hasScripts: true });
  writeFileSync(`/tmp/${name}.png`, await page.screenshot({ scale: width === 1280 ? 0.4 : 0.5 }));
  await page.close();
}
await browser.close();
console.log(JSON.stringify((await checkPage('/tmp/wdemo/both/report.html', { scripts: [false] })).problems));
