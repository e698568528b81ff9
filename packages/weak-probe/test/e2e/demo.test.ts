import { cpSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
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

/** Lines of 16 of 24 recipients, six states and three sources each; and the file's own. */
const UNIT_LINES = 16 * (6 * 3 + 1) + 1;

it('weak-probe graft ends with the same bytes after kill -9', async () => {
  const graft = ['graft', killed, '--set', 'graft.recipients=24'];
  cpSync(out, killed, { recursive: true });
  for (const name of ['graft.json', 'graft.jsonl']) rmSync(join(killed, name));
  const at = { path: join(killed, 'graft.jsonl'), lines: UNIT_LINES };
  expect(await killAtLine(graft, at)).toBe(true);
  const resumed = await weakProbe(graft);
  expect(resumed.code, resumed.stderr).toBe(0);
  const textsOf = (name: string) =>
    [killed, out].map((run) => readFileSync(join(run, name), 'utf8')) as [string, string];
  const [own, wanted] = textsOf('graft.jsonl');
  expect(own).toBe(wanted);
  const pointsOf = (text: string) => (JSON.parse(text) as { points: unknown }).points;
  expect(pointsOf(textsOf('graft.json')[0])).toEqual(pointsOf(textsOf('graft.json')[1]));
});

describe.skipIf(!requireProgram('chromium'))('the page (needs chromium)', () => {
  it.each([
    [1280, 'light'],
    [400, 'dark'],
  ] as const)('is sound at %d px, %s', async (width, scheme) => {
    const given = { widths: [width], schemes: [scheme], scripts: [false] };
    const { problems } = await checkPage(page, given);
    expect(problems).toEqual([]);
    expect(statSync(page).size).toBeLessThan(2_000_000);
  });
});
