import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  killAtLine,
  organismRecords,
  runProgram,
  saharaProcess,
  writePrompts,
} from './sahara-program.js';

const model = ['--model', 'example:organism', '--backend', 'wasm'];
let prompts: string;
beforeAll(async () => {
  prompts = writePrompts(await organismRecords('refused', 6));
});
const folder = () => join(temporaryFolder(), 'run');
const read = (dir: string, name: string) => readFileSync(join(dir, name), 'utf8');

interface Case {
  readonly verb: string;
  readonly flags: readonly string[];
  /** Grows while the run is at work. */
  readonly grows: string;
  /** Must be the same bytes in the end. */
  readonly results: readonly string[];
}

const cases: readonly Case[] = [
  {
    verb: 'ships',
    flags: ['--set', 'scan.batchTokens=64'],
    grows: 'predictions.jsonl',
    results: ['predictions.jsonl', 'scores.json'],
  },
  {
    verb: 'sahara',
    flags: ['--size', '2'],
    grows: 'units.jsonl',
    results: ['scores.json', 'step-1.json', 'step-2.json'],
  },
  {
    verb: 'baseline neurons',
    flags: ['--donor', 'example:organism', '--max-new-tokens', '6', '--limit', '3'],
    grows: 'predictions.jsonl',
    results: ['predictions.jsonl', 'neurons.json'],
  },
  {
    verb: 'ablate',
    flags: ['--heads', '1-1', '--rows', '1', '--max-new-tokens', '6', '--random', '1'],
    grows: 'predictions.jsonl',
    results: ['predictions.jsonl', 'attack-success.json'],
  },
];

describe.each(cases)('$verb', ({ verb, flags, grows, results }) => {
  it('that is killed goes on to the bytes of a run that was not', async () => {
    const [whole, killed] = [folder(), folder()];
    const words = verb.split(' ');
    const args = [...words, ...model, '--prompts', prompts, ...flags];
    const undisturbed = await runProgram(...args, '--out', whole);
    expect(undisturbed.code, undisturbed.stderr).toBe(0);
    const path = join(killed, grows);
    expect(await killAtLine([...args, '--out', killed], { path, lines: 2 })).toBe(true);
    const resumed = await runProgram(...words, '--resume', killed, '--backend', 'wasm');
    expect(resumed.code, resumed.stderr).toBe(0);
    for (const name of results) expect(read(killed, name), name).toBe(read(whole, name));
    const report = await runProgram('report', killed);
    expect(report.code, report.stderr).toBe(0);
    expect(read(killed, 'report.html')).toContain('<h1>');
  });
});

it('Ctrl-C saves, says how to go on, and ends with 130', async () => {
  const out = folder();
  const args = ['ships', ...model, '--prompts', prompts, '--set', 'scan.batchTokens=32'];
  const { code, stderr } = await saharaProcess([...args, '--out', out], {
    send: [{ after: 'ships  ', signal: 'SIGINT' }],
  });
  expect(stderr).toMatch(/resume with "sahara ships --resume/);
  expect(code).toBe(130);
  expect(JSON.parse(read(out, 'run.json'))).toMatchObject({ status: 'interrupted' });
});
