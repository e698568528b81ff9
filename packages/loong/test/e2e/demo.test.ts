import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { checkPage } from '@lab/report/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { loong } from './loong-process.js';

const out = join(temporaryFolder(), 'demo');

beforeAll(async () => {
  const { code, stdout, stderr } = await loong(['demo', '--out', out]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/average score 100\.0 of 100 on the shortest questions/);
  expect(stdout).toMatch(/SCRIPTED reader/);
});

describe('loong demo', () => {
  it('writes benchmark, runs and pages, and can be run again', async () => {
    for (const path of [
      'benchmark/questions.jsonl',
      'reader-32k/report.html',
      'comparison/report.html',
    ]) {
      expect(existsSync(join(out, path))).toBe(true);
    }
    const again = await loong(['demo', '--out', out]);
    expect(again.code, again.stderr).toBe(0);
  });
});

describe.skipIf(!requireProgram('chromium'))('the pages (needs chromium)', () => {
  it.each(['reader-32k', 'comparison'])('of %s are sound at 1280 and 400 px', async (folder) => {
    const page = join(out, folder, 'report.html');
    const { problems, views } = await checkPage(page, { scripts: [false] });
    expect(problems).toEqual([]);
    expect(views).toHaveLength(4);
    expect(statSync(page).size).toBeLessThan(2_000_000);
  });

  it('are sound with scripts', async () => {
    const page = join(out, 'reader-32k', 'report.html');
    const { problems } = await checkPage(page, { schemes: ['dark'], scripts: [true] });
    expect(problems).toEqual([]);
  });
});
