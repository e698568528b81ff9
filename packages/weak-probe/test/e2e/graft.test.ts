import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { killAtLine, weakProbe } from './weak-probe-process.js';

const dir = temporaryFolder();
const [whole, killed] = [join(dir, 'whole'), join(dir, 'killed')];
const graft = (run: string) => ['graft', run, '--states', '5', '--threads', '1'];
/** Lines of the first 16 recipients, three sources each, and the file's own. */
const UNIT_LINES = 16 * (3 + 1) + 1;

const fileOf = (run: string, name: string) => readFileSync(join(run, name), 'utf8');

it('weak-probe graft ends with the same bytes after kill -9 and Ctrl-C', async () => {
  const collected = await weakProbe([
    ...['collect', '--model', 'example:organism', '--format', 'chat', '--limit', '48'],
    ...['--out', whole, '--threads', '1'],
  ]);
  expect(collected.code, collected.stderr).toBe(0);
  cpSync(whole, killed, { recursive: true });
  expect((await weakProbe(graft(whole))).code).toBe(0);
  const at = { path: join(killed, 'graft.jsonl'), lines: UNIT_LINES };
  expect(await killAtLine(graft(killed), at)).toBe(true);
  const stopped = await weakProbe(graft(killed), { send: [{ after: 'graft', signal: 'SIGINT' }] });
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toContain('the same command goes on');
  const resumed = await weakProbe(graft(killed));
  expect(resumed.code, resumed.stderr).toBe(0);
  for (const name of ['graft.jsonl', 'graft.json']) {
    expect(fileOf(killed, name)).toBe(fileOf(whole, name));
  }
});
