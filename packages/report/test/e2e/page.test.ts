import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  compareRuns,
  readRunFolder,
  serveReports,
  writeComparisonPage,
  writeRunPage,
} from '../../src/index.js';
import {
  type Browser,
  type BrowserPage,
  checkPage,
  openBrowser,
  openPage,
} from '../../src/testing.js';
import { hostileText, samplePage } from './sample-page.js';
import { writeSampleRuns } from './sample-runs.js';

const wide = { width: 1280, scheme: 'light', hasScripts: true } as const;

describe.skipIf(!requireProgram('chromium'))('pages in Chromium (needs chromium)', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'report.html');
  let browser: Browser;

  beforeAll(() => {
    writeRunPage(path, samplePage());
    browser = openBrowser();
  });
  afterAll(() => browser.close());

  async function withPage(url: string, use: (page: BrowserPage) => Promise<void>): Promise<void> {
    const page = await openPage(browser, url, wide);
    try {
      await use(page);
      expect(page.errors).toEqual([]);
      expect(page.requests).toEqual([]);
    } finally {
      await page.close();
    }
  }

  test('the run page is sound at both widths, in both schemes, without scripts too', async () => {
    const pictures: number[] = [];
    const found = await checkPage(path, { onPicture: (_, png) => pictures.push(png.length) });
    expect(found.problems).toEqual([]);
    expect(found.views.length).toBe(8);
    for (const { textCount } of found.views) expect(textCount).toBeGreaterThan(400);
    expect(found.bytes).toBeLessThan(2_000_000);
    expect(Math.min(...pictures)).toBeGreaterThan(100_000);
  });

  test('the comparison page is sound', async () => {
    const runs = writeSampleRuns(join(folder, 'runs')).map((dir) => readRunFolder(dir));
    const page = join(folder, 'comparison.html');
    writeComparisonPage(page, compareRuns(runs));
    expect((await checkPage(page, { scripts: [true] })).problems).toEqual([]);
    expect(statSync(page).size).toBeLessThan(2_000_000);
  });

  test('the filter shows the examples that contain all words', async () => {
    await withPage(pathToFileURL(path).href, async (page) => {
      const shown = await page.evaluate(`(() => {
        const input = document.querySelector('.filter input');
        input.value = 'lyon .8';
        input.dispatchEvent(new Event('input'));
        const items = [...document.querySelectorAll('.examples li')];
        return {
          texts: items.filter((item) => !item.hidden).map((item) => item.textContent),
          output: document.querySelector('.filter output').textContent,
        };
      })()`);
      const { texts, output } = shown as { texts: string[]; output: string };
      expect(texts.length).toBeGreaterThan(0);
      for (const text of texts) expect(text.toLowerCase()).toMatch(/lyon[^]*\.8/);
      expect(output).toBe(`${texts.length} of 20 shown`);
    });
  });

  test('a table in pages turns them, filters all, starts again when sorted', async () => {
    const paged = join(folder, 'paged.html');
    const rows = Array.from({ length: 23 }, (_, index) => ({
      name: `row ${index}`,
      text: `answer ${index} ${hostileText}`,
    }));
    const columns = [
      { key: 'name', label: 'Row' },
      { key: 'text', label: 'Answer', kind: 'block' as const },
    ];
    const section = { heading: 'Answers', table: { columns, rows, pageRows: 10 } };
    writeRunPage(paged, { ...samplePage(), sections: [section] });
    await withPage(pathToFileURL(paged).href, async (page) => {
      const look = async (action: string) => {
        await page.evaluate(`(() => { ${action} })()`);
        return page.evaluate(`(() => {
          const rows = [...document.querySelectorAll("#answers tbody tr")];
          const shown = rows.filter((row) => row.checkVisibility());
          const words = document.querySelector("#answers .pages output").textContent;
          return [shown.length, shown[0]?.cells[0].textContent, words];
        })()`);
      };
      const click = (at: number) =>
        `document.querySelectorAll("#answers .pages button")[${at}].click()`;
      const search = (words: string) =>
        `const box = document.querySelector("#answers .filter input");
        box.value = "${words}"; box.dispatchEvent(new Event("input"));`;
      expect(await look('')).toEqual([10, 'row 0', '1 to 10 of 23']);
      expect(await look(click(1))).toEqual([10, 'row 10', '11 to 20 of 23']);
      expect(await look(click(1))).toEqual([3, 'row 20', '21 to 23 of 23']);
      expect(await look(click(1))).toEqual([3, 'row 20', '21 to 23 of 23']);
      expect(await look(search('answer 2'))).toEqual([5, 'row 2', '1 to 5 of 5']);
      expect(await look(search('nowhere'))).toEqual([0, null, 'none']);
      expect(await look(search(''))).toEqual([10, 'row 0', '1 to 10 of 23']);
      const head = 'document.querySelector("#answers th button")';
      const sort = `${head}.click(); ${head}.click();`;
      expect(await look(`${click(1)}; ${sort}`)).toEqual([10, 'row 22', '1 to 10 of 23']);
    });
    expect((await checkPage(paged)).problems).toEqual([]);
  });

  test('tables sort by a click and from the keyboard, numbers as numbers', async () => {
    await withPage(pathToFileURL(path).href, async (page) => {
      const column = `[...document.querySelectorAll('#data-files tbody tr')]
        .map((row) => row.cells[1].textContent)`;
      await page.evaluate(`document.querySelectorAll('#data-files thead button')[1].focus()`);
      await page.press('Enter');
      expect(await page.evaluate(column)).toEqual(['324,936', '243,702', '162,468', '81,234']);
      const sorted = `document.querySelectorAll('#data-files th')[1].getAttribute('aria-sort')`;
      expect(await page.evaluate(sorted)).toBe('descending');
      await page.evaluate(`document.querySelectorAll('#data-files thead button')[1].click()`);
      expect(await page.evaluate(column)).toEqual(['81,234', '162,468', '243,702', '324,936']);
    });
  });

  test('the command is copied', async () => {
    const permissions = ['clipboardReadWrite', 'clipboardSanitizedWrite'];
    await browser.send('Browser.grantPermissions', { permissions });
    await withPage(pathToFileURL(path).href, async (page) => {
      await page.evaluate(`document.querySelector('button.copy').click()`);
      const words = `new Promise((done) => {
        const button = document.querySelector('button.copy');
        const look = () => button.textContent === 'Copy command'
          ? requestAnimationFrame(look) : done(button.textContent);
        look();
      })`;
      expect(await page.evaluate(words)).toBe('Copied');
      const copied = await page.evaluate('navigator.clipboard.readText()');
      expect(copied).toBe(samplePage().command);
    });
  });

  test('values are shown under the pointer', async () => {
    await withPage(pathToFileURL(path).href, async (page) => {
      const tip = await page.evaluate(`(() => {
        const figure = document.querySelector('#training figure[data-lines]');
        const svg = figure.querySelector('.wide svg');
        svg.scrollIntoView();
        const box = svg.getBoundingClientRect();
        const at = { clientX: box.left + box.width * 0.5, clientY: box.top + 50 };
        svg.dispatchEvent(new PointerEvent('pointermove', at));
        const tip = figure.querySelector('.tip');
        return tip.hidden ? '' : tip.innerText;
      })()`);
      expect(tip).toMatch(/^epoch \d+\ngraph {1,2}[\d.]+\nrelation/);
    });
  });

  test('the keyboard reaches every control, in the order of the page', async () => {
    await withPage(pathToFileURL(path).href, async (page) => {
      const reached: string[] = [];
      const current = `(() => {
        const element = document.activeElement;
        const outline = getComputedStyle(element).outlineStyle;
        return [element.localName, element.textContent.slice(0, 30), outline].join('|');
      })()`;
      for (let step = 0; step < 24; step++) {
        await page.press('Tab');
        reached.push(String(await page.evaluate(current)));
      }
      expect(reached[0]).toContain('a|Skip to the content');
      for (const control of ['a|data (CSV)', 'a|Comparison', 'button|H@1', 'div|']) {
        expect(
          reached.some((name) => name.startsWith(control)),
          control,
        ).toBe(true);
      }
      expect(reached.every((name) => name.endsWith('|solid'))).toBe(true);
    });
  });

  test('without scripts everything is there but the helpers', async () => {
    const view = { width: 400, scheme: 'dark', hasScripts: false } as const;
    const page = await openPage(browser, pathToFileURL(path).href, view);
    const count = (selector: string) =>
      page.evaluate(
        `[...document.querySelectorAll('${selector}')].filter((e) => e.checkVisibility()).length`,
      );
    expect(await count('th button, .filter, button.copy')).toBe(0);
    expect(await count('.examples li')).toBe(20);
    expect(await count('figure svg')).toBe(10);
    await page.close();
  });

  test('paper gets ink on white and unfolded settings', async () => {
    const page = await openPage(browser, pathToFileURL(path).href, { ...wide, scheme: 'dark' });
    const style = `(() => {
      const print = [...document.styleSheets[0].cssRules]
        .filter((rule) => rule.media && rule.media.mediaText === 'print');
      return print.map((rule) => rule.cssText).join(' ');
    })()`;
    const rules = String(await page.evaluate(style));
    expect(rules).toContain('--surface: #ffffff');
    expect(rules).toContain('::details-content');
    await page.close();
  });

  test('the served index and a served page load without a further request', async () => {
    const dir = join(folder, 'served');
    writeSampleRuns(dir, [1]);
    writeRunPage(join(dir, 'run-0-s1', 'report.html'), samplePage());
    const server = await serveReports({ dir });
    try {
      await withPage(server.url, async (page) => {
        expect(await page.evaluate('document.querySelectorAll("tbody tr").length')).toBe(3);
      });
      await withPage(`${server.url}run-0-s1/report.html`, async (page) => {
        expect(
          await page.evaluate('document.querySelectorAll("th button").length'),
        ).toBeGreaterThan(9);
      });
    } finally {
      await server.close();
    }
  });

  test('what is wrong with a page is found', async () => {
    const bad = join(folder, 'bad.html');
    writeFileSync(
      bad,
      `<!doctype html><html><body style="background:#fff">
      <p style="color:#999">pale words</p>
      <svg width="100" height="40"><rect width="100" height="40" fill="#000"/>
      <text x="5" y="20" fill="#222">dark on dark</text></svg>
      <div style="width:2000px;background:#eee">wide</div>
      <figure>no data</figure>
      <p style="max-width:none">${'a very long line of many words '.repeat(4)}</p>
      <img alt="x" src="http://127.0.0.1:9/picture.png">
      <script>console.error('broken'); missing();</script></body></html>`,
    );
    const { problems } = await checkPage(bad, {
      widths: [1280],
      schemes: ['light'],
      scripts: [true],
    });
    const all = problems.join('\n');
    for (const expected of [
      /contrast 2\.\d+: "pale words"/,
      /contrast 1\.\d+: "dark on dark"/,
      /scrolls sideways by \d+ px/,
      /div sticks out/,
      /1 figures without data/,
      /a line is too long/,
      /request: http:\/\/127\.0\.0\.1:9\/picture\.png/,
      /1 pictures without a name/,
      /console: .*broken/,
      /console: ReferenceError: missing/,
    ]) {
      expect(all).toMatch(expected);
    }
  });

  test('a browser that is not there is a clear error', async () => {
    await expect(checkPage(path, { program: '/no/such/chromium' })).rejects.toThrow(
      /cannot be started|broke/,
    );
  });
});
