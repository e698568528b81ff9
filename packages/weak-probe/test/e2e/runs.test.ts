import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { killAtLine, weakProbe } from './weak-probe-process.js';

const dir = temporaryFolder();
const [whole, killed] = [join(dir, 'whole'), join(dir, 'killed')];
const collect = (out: string) => [
  ...['collect', '--model', 'example:organism', '--format', 'chat', '--limit', '32'],
  ...['--out', out, '--set', 'states.unitPrompts=4', '--threads', '1'],
];

const statesOf = (run: string) =>
  readdirSync(join(run, 'states'))
    .toSorted()
    .map((name) => [name, readFileSync(join(run, 'states', name)).toString('base64')]);

it('weak-probe collect ends with the same bytes after kill -9 and Ctrl-C', async () => {
  const undisturbed = await weakProbe(collect(whole));
  expect(undisturbed.code, undisturbed.stderr).toBe(0);
  expect(undisturbed.stdout).toContain('6 states of 64 rows, 128 numbers each: 197 kB');
  expect(undisturbed.stdout).toContain(`next: weak-probe probe ${whole}`);
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
