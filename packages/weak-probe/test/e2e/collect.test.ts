import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { killAtLine, weakProbe } from './weak-probe-process.js';

const dir = temporaryFolder();
const whole = join(dir, 'whole');
const collect = (out: string) => [
  ...['collect', '--model', 'example:organism', '--limit', '60', '--out', out],
  ...['--set', 'states.unitPrompts=4', '--threads', '1'],
];

const statesOf = (run: string) =>
  readdirSync(join(run, 'states'))
    .toSorted()
    .map((name) => [name, readFileSync(join(run, 'states', name)).toString('base64')]);

beforeAll(async () => {
  const { code, stdout, stderr } = await weakProbe(collect(whole));
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('6 states of 120 rows, 128 numbers each: 369 kB');
  expect(stdout).toContain(`next: weak-probe probe ${whole}`);
});

describe('weak-probe collect', () => {
  it('ends with the same bytes after kill -9 and resume', async () => {
    const killed = join(dir, 'killed');
    const path = join(killed, 'states', 'rows.jsonl');
    expect(await killAtLine(collect(killed), { path, lines: 8 })).toBe(true);
    const early = await weakProbe(['probe', killed]);
    expect(early.code).toBe(3);
    expect(early.stderr).toContain(`weak-probe collect --resume ${killed}`);
    const resumed = await weakProbe(['collect', '--resume', killed]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(statesOf(killed)).toEqual(statesOf(whole));
  });

  it('saves on Ctrl-C, says how to go on, and ends with 130', async () => {
    const stopped = join(dir, 'stopped');
    const { code, stderr } = await weakProbe(collect(stopped), {
      send: [{ after: 'collect  prompt', signal: 'SIGINT' }],
    });
    expect(code, stderr).toBe(130);
    expect(stderr).toContain(`resume with "weak-probe collect --resume ${stopped}"`);
    const resumed = await weakProbe(['collect', '--resume', stopped, '--json']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ rows: 120, states: 6, status: 'success' });
    expect(statesOf(stopped)).toEqual(statesOf(whole));
  });

  it('ends with 2 and the nearest command for one that is not there', async () => {
    const { code, stderr } = await weakProbe(['colect']);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean collect?');
  });
});
