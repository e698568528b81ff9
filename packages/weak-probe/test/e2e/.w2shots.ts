import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { openBrowser, openPage } from '@lab/report/testing';
const [file, out, width, scheme, step] = process.argv.slice(2);
const browser = openBrowser();
const page = await openPage(browser, pathToFileURL(file!).href, { width: Number(width), scheme: scheme as 'light', hasScripts: true });
const total = Number(await page.evaluate('document.documentElement.scrollHeight'));
for (let top = 0, n = 0; top < total; top += Number(step), n += 1) {
  await page.evaluate(`document.body.style.marginTop='-${top}px'`);
  writeFileSync(`${out}-${n}.png`, await page.screenshot({ height: Number(step) }));
}
await page.close(); await browser.close();
console.log(total);
