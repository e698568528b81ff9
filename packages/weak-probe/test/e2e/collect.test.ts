import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { killAtLine, weakProbe } from './weak-probe-process.js';

const dir = temporaryFolder();
const whole = join(dir, 'whole');
const collect = (out: string) => [
  ...['collect', '--model', 'example:organism', '--limit', '150', '--out', out],
  ...['--set', 'states.unitPrompts=4', '--threads', '1'],
];

const statesOf = (run: string) =>
  readdirSync(join(run, 'states'))
    .toSorted()
    .map((name) => [name, readFileSync(join(run, 'states', name)).toString('base64')]);

beforeAll(async () => {
  const { code, stdout, stderr } = await weakProbe(collect(whole));
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('6 states of 300 rows, 128 numbers each: 921.6 kB');
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
      send: [{ after: 'collect', signal: 'SIGINT' }],
    });
    expect(code).toBe(130);
    expect(stderr).toContain(`resume with "weak-probe collect --resume ${stopped}"`);
    const resumed = await weakProbe(['collect', '--resume', stopped, '--json']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ rows: 300, states: 6, status: 'success' });
    expect(statesOf(stopped)).toEqual(statesOf(whole));
  });
});

describe('bad input', () => {
  const files = temporaryFolder();
  const write = (name: string, text: string) => {
    writeFileSync(join(files, name), text);
    return join(files, name);
  };
  const good = write('good.csv', 'goal\nWrap the jar.\nDry the bell.\n');
  const blank = write('blank.csv', 'goal\nWrap the jar.\n""\n');
  const columns = write('columns.csv', 'word,count\njar,1\n');
  const model = ['--model', 'example:organism'];
  const classes = (a: string, b: string) => ['--class', `normal=${a}`, '--class', `harmful=${b}`];

  it.each([
    [['collect', ...classes(good, good)], 2, /--model DIR is missing/],
    [['collect', ...model, '--class', `normal=${good}`], 2, /1 classes \(normal\)/],
    [['collect', ...model, ...classes(good, '/none.csv')], 3, /none\.csv/],
    [['check', ...model, ...classes(blank, columns)], 3, /blank\.csv line 3[^]*columns that prompts/],
    [['collect', ...model, '--set', 'lens.topk=3'], 2, /lens\.topK/],
    [['collect', ...model, '--format', 'lama-2'], 2, /near: llama-2/],
    [['collect', '--model', '/nowhere'], 4, /\/nowhere/],
    [['collect', ...model, '--format', 'mistral', '--mode', 'official'], 2, /--system-file/],
    [['probe', dir], 3, /run\.json/],
    [['collect', '--resume', whole, '--limit', '3'], 2, /the run's own settings, not limit/],
    [['colect'], 2, /collect/],
  ])('%j ends with %i and says what to do', async (args, code, text) => {
    const found = await weakProbe(args);
    expect(found.stdout + found.stderr).toMatch(text);
    expect(found.code).toBe(code);
    expect(found.stderr).toContain('help:');
  });
});
