import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, test } from 'vitest';
import { run } from './__fixtures__/run-program.js';

const model = ['--model', 'example:organism', '--classes', 'answered,refused'];

test('a command that is not there ends with 2 and the nearest one', async () => {
  const { code, stderr } = await run(['colect']);
  expect(code).toBe(2);
  expect(stderr).toContain('did you mean collect?');
});

test('config explains where each value comes from', async () => {
  const { code, stdout } = await run(['config', '--mode', 'official', '--explain']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/states\.isNormed +true +mode official/);
});

test('check counts prompts and tokens, and says that a chat format ends alike', async () => {
  const { code, stdout } = await run(['check', ...model, '--limit', '5', '--format', 'chat']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/answered +\d+ +\d+ +5/);
  expect(stdout).toContain('the same in all: state 0 says nothing');
});

test('check without a model reads the files alone', async () => {
  const path = join(temporaryFolder(), 'a.csv');
  writeFileSync(path, 'goal\nWrap the jar.\nDry the bell.\n');
  const classes = ['--class', `a=${path}`, '--class', `b=${path}`];
  const { code, stdout, stderr } = await run(['check', ...classes]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/a +2 +0 +2/);
  expect(stderr).toContain('2 prompts in several classes');
});

test('plan says time, memory and disk', async () => {
  const { code, stdout } = await run(['plan', ...model, '--limit', '5', '--json']);
  expect(code).toBe(0);
  const { plan } = JSON.parse(stdout) as { plan: Record<string, number> };
  expect(plan).toMatchObject({ prompts: 10, states: 6, rows: 10, width: 128, diskBytes: 30_720 });
  expect(plan['runSeconds']).toBeGreaterThan(0);
  expect(plan['operations']).toBeGreaterThan(1e8);
});

test('collect leaves a run that names its command and its prompts', async () => {
  const out = join(temporaryFolder(), 'run');
  const { code, stdout } = await run(['collect', ...model, '--limit', '4', '--out', out]);
  expect(code).toBe(0);
  expect(stdout).toContain('6 states of 8 rows, 128 numbers each');
  const record = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')) as {
    config: { passed: Record<string, unknown> };
    data: { path: string }[];
  };
  expect(record.config.passed).toMatchObject({ model: 'example:organism', limit: 4 });
  expect(record.data[0]!.path).toMatch(/prompts\.csv$/);
  const again = await run(['collect', ...model, '--limit', '4', '--out', out]);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('holds a run already');
});
