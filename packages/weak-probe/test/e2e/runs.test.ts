import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, expect, it } from 'vitest';
import { killAtLine, weakProbe } from './weak-probe-process.js';

const dir = temporaryFolder();
const [whole, killed, grafted] = ['whole', 'killed', 'grafted'].map((name) => join(dir, name)) as [
  string,
  string,
  string,
];
const collect = (out: string) => [
  ...['collect', '--model', 'example:organism', '--format', 'chat', '--limit', '32'],
  ...['--out', out, '--set', 'states.unitPrompts=4', '--threads', '1'],
];
const graft = (run: string) => ['graft', run, '--states', '5', '--threads', '1'];
/** Lines of the first 16 recipients, three sources each, and the file's own. */
const UNIT_LINES = 16 * (3 + 1) + 1;

const statesOf = (run: string) =>
  readdirSync(join(run, 'states'))
    .toSorted()
    .map((name) => [name, readFileSync(join(run, 'states', name)).toString('base64')]);

beforeAll(async () => {
  const { code, stdout, stderr } = await weakProbe(collect(whole));
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('6 states of 64 rows, 128 numbers each: 197 kB');
  expect(stdout).toContain(`next: weak-probe probe ${whole}`);
  cpSync(whole, grafted, { recursive: true });
});

it('weak-probe collect ends with the same bytes after kill -9 and Ctrl-C', async () => {
  const path = join(killed, 'states', 'rows.jsonl');
  expect(await killAtLine(collect(killed), { path, lines: 8 })).toBe(true);
  const stopped = await weakProbe(['collect', '--resume', killed], {
    send: [{ after: 'collect  prompt', signal: 'SIGINT' }],
  });
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stderr).toContain(`resume with "weak-probe collect --resume ${killed}"`);
  const resumed = await weakProbe(['collect', '--resume', killed, '--json']);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(JSON.parse(resumed.stdout)).toMatchObject({ rows: 64, states: 6, status: 'success' });
  expect(statesOf(killed)).toEqual(statesOf(whole));
});

it('weak-probe graft ends with the same bytes after kill -9 and Ctrl-C', async () => {
  expect((await weakProbe(graft(whole))).code).toBe(0);
  const at = { path: join(grafted, 'graft.jsonl'), lines: UNIT_LINES };
  expect(await killAtLine(graft(grafted), at)).toBe(true);
  const stopped = await weakProbe(graft(grafted), {
    send: [{ after: 'graft', signal: 'SIGINT' }],
  });
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stderr).toContain('the same command goes on');
  const resumed = await weakProbe(graft(grafted));
  expect(resumed.code, resumed.stderr).toBe(0);
  for (const name of ['graft.jsonl', 'graft.json']) {
    const [own, wanted] = [grafted, whole].map((run) => readFileSync(join(run, name), 'utf8'));
    expect(own).toBe(wanted);
  }
});
