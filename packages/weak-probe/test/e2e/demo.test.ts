import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { checkPage } from '@lab/report/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { killAtLine, weakProbe } from './weak-probe-process.js';

const dir = temporaryFolder();
const [out, killed] = [join(dir, 'demo'), join(dir, 'killed')];
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

/** Lines of the first 16 of 24 recipients, six states and three sources each; and the file's own. */
const UNIT_LINES = 16 * (6 * 3 + 1) + 1;

it('weak-probe graft ends with the same bytes after kill -9', async () => {
  const graft = ['graft', killed, '--set', 'graft.recipients=24', '--responses'];
  cpSync(out, killed, { recursive: true });
  const names = readdirSync(killed).filter((name) => name.startsWith('graft'));
  expect(names.toSorted()).toEqual(['graft-responses.jsonl', 'graft.json', 'graft.jsonl']);
  for (const name of names) rmSync(join(killed, name));
  const at = { path: join(killed, 'graft.jsonl'), lines: UNIT_LINES };
  expect(await killAtLine(graft, at)).toBe(true);
  const resumed = await weakProbe(graft);
  expect(resumed.code, resumed.stderr).toBe(0);
  for (const name of names) {
    const [own, wanted] = [killed, out].map((run) => readFileSync(join(run, name), 'utf8'));
    expect(own, name).toBe(wanted);
  }
});

describe.skipIf(!requireProgram('chromium'))('the page (needs chromium)', () => {
  it('is sound at 1280 and 400 px, light and dark', async () => {
    const { problems, views } = await checkPage(page, { scripts: [false] });
    expect(problems).toEqual([]);
    expect(views).toHaveLength(4);
    expect(statSync(page).size).toBeLessThan(2_000_000);
  });
});
