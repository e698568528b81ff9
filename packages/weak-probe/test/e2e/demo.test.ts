import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { checkPage } from '@lab/report/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { weakProbe } from './weak-probe-process.js';

const out = join(temporaryFolder(), 'demo');
const page = join(out, 'report.html');
let printed = '';

beforeAll(async () => {
  const { code, stdout, stderr } = await weakProbe(['demo', '--out', out, '--limit', '40']);
  expect(code, stderr).toBe(0);
  printed = stdout;
});

it('weak-probe demo prints a result in words, and where its picture is', () => {
  expect(printed).toMatch(/refused or answered: a linear probe tells .* % at state \d/);
  expect(printed).toContain(page);
  expect(existsSync(join(out, 'figures', 'accuracy-by-state.svg'))).toBe(true);
  const found = JSON.parse(readFileSync(join(out, 'dissociation.json'), 'utf8')) as {
    stages: { stage: string; verdict: string }[];
  };
  expect(found.stages.map(({ stage }) => stage)).toContain('concept');
});

describe.skipIf(!requireProgram('chromium'))('the page (needs chromium)', () => {
  it('is sound at 1280 and 400 px, light and dark', async () => {
    const { problems, views } = await checkPage(page, { scripts: [false] });
    expect(problems).toEqual([]);
    expect(views).toHaveLength(4);
    expect(statSync(page).size).toBeLessThan(2_000_000);
  });
});
