import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { checkPage, openBrowser, openPage } from '@lab/report/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeServer, startFakeServer } from '../../src/testing.js';
import { llm } from './llm-process.js';

const hostile =
  '</pre><script>window.hacked = 1</script><img src="http://example.org/x" onerror="hacked=1">' +
  '\u001b[2J\u202eabc';

let server: FakeServer;
const dir = temporaryFolder();
const files = { data: join(dir, 'rows.jsonl'), prompt: join(dir, 'prompt.md') };
const out = join(dir, 'run');
const args = (to: string) => [
  ...['run', '--data', files.data, '--prompt', files.prompt, '--base-url', server.url],
  ...['--model', 'fake-model', '--out', to, '--cache', 'off', '--concurrency', '8'],
];

beforeAll(async () => {
  const rules = [
    { do: 'rate-limit', retryAfter: 'milliseconds', waitMs: 5, when: { share: 0.1, times: 1 } },
    { do: 'status', status: 400, when: { contains: 'number 17.' } },
    { do: 'refusal', when: { contains: 'number 18.' } },
    { do: 'latency', ms: 5, spreadMs: 40 },
    { do: 'echo' },
  ] as const;
  server = await startFakeServer({ script: { rules: [...rules] } });
  const rows = Array.from({ length: 60 }, (_, i) => ({ id: `row ${i} ${hostile}`, text: `${i}` }));
  writeFileSync(files.data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(files.prompt, `Say ${hostile} about number {{text}}.\n`);
});

afterAll(() => server.close());

describe('the page of a run', () => {
  it('is written at the end of a run, of one with failed rows too', async () => {
    const { code, stdout, stderr } = await llm([...args(out), '--json']);
    expect(code, stderr).toBe(7);
    const { report } = JSON.parse(stdout) as { report: string };
    expect(report).toBe(join(out, 'report.html'));
    expect(stderr).toMatch(/failed {2}1 row: .*400/);
    expect(readFileSync(report, 'utf8')).toContain('58 of 60 rows have an answer');
  });

  it('is written again by "llm report", and says what a stopped run lacks', async () => {
    const stopped = join(dir, 'stopped');
    const ended = await llm([...args(stopped), '--max-calls', '20']);
    expect(ended.code, ended.stderr).toBe(6);
    expect(existsSync(join(stopped, 'report.html'))).toBe(false);
    const { code, stdout, stderr } = await llm(['report', stopped]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(join(stopped, 'report.html'));
    expect(readFileSync(join(stopped, 'report.html'), 'utf8')).toMatch(/\d+ not asked yet/);
    const none = await llm(['report', join(dir, 'nowhere')]);
    expect(none.code).toBe(3);
    expect(none.stderr).toMatch(/nowhere[/\\]run\.json.*\n +help: give the folder of a run/);
  });
});

describe.skipIf(!requireProgram('chromium'))('in a browser (needs chromium)', () => {
  it('is sound at 1280 and 400 px, light and dark, with scripts and without', async () => {
    const { problems, views } = await checkPage(join(out, 'report.html'));
    expect(problems).toEqual([]);
    expect(views).toHaveLength(8);
    expect(statSync(join(out, 'report.html')).size).toBeLessThan(1_000_000);
  });

  it('shows prompts and answers as text: nothing of them runs or is asked for', async () => {
    const browser = openBrowser();
    try {
      const url = pathToFileURL(join(out, 'report.html')).href;
      const page = await openPage(browser, url, { width: 1280, scheme: 'light', hasScripts: true });
      expect(await page.evaluate('window.hacked === undefined')).toBe(true);
      expect(await page.evaluate('document.querySelectorAll("main img, main script").length')).toBe(
        0,
      );
      const shown = await page.evaluate(`[...document.querySelectorAll('#answers tbody tr')]
        .filter((row) => row.checkVisibility()).map((row) => row.textContent)`);
      expect(shown).toHaveLength(10);
      for (const text of shown as string[]) {
        expect(text).toContain('<script>window.hacked = 1</script>');
        expect(text).not.toContain('\u001b');
      }
      expect(page.errors).toEqual([]);
      expect(page.requests).toEqual([]);
      await page.close();
    } finally {
      await browser.close();
    }
  });
});
