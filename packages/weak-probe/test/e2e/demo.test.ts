import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { checkPage } from '@lab/report/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { weakProbe } from './weak-probe-process.js';

const out = join(temporaryFolder(), 'demo');
const page = join(out, 'report.html');

beforeAll(async () => {
  const { code, stdout, stderr } = await weakProbe(['demo', '--out', out]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/refused or answered: a linear probe tells .* % at state \d/);
  expect(stdout).toContain(page);
});

describe('weak-probe demo', () => {
  it('leaves a run whose page is made again from its files', async () => {
    const before = readFileSync(page, 'utf8');
    const { code, stdout, stderr } = await weakProbe(['report', out]);
    expect(code, stderr).toBe(0);
    expect(stdout.trim()).toBe(page);
    expect(readFileSync(page, 'utf8')).toBe(before);
    expect(existsSync(join(out, 'figures', 'accuracy-by-state.svg'))).toBe(true);
  });

  it('gives the same numbers twice', async () => {
    const paths = ['probes.json', 'predictions.jsonl'].map((name) => join(out, name));
    const before = paths.map((path) => readFileSync(path, 'utf8'));
    for (const name of [...paths, join(out, 'probe-states.jsonl')]) rmSync(name);
    const { code, stderr } = await weakProbe(['probe', out]);
    expect(code, stderr).toBe(0);
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(before);
  });
});

describe.skipIf(!requireProgram('chromium'))('the page (needs chromium)', () => {
  it('is sound at 1280 and 400 px, light and dark', async () => {
    const { problems, views } = await checkPage(page, { scripts: [false] });
    expect(problems).toEqual([]);
    expect(views).toHaveLength(4);
    expect(statSync(page).size).toBeLessThan(2_000_000);
  });
});
