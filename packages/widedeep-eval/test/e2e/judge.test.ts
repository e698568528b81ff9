import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { type FakeServer, startFakeServer } from '@lab/llm/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { judgeScript, runProgram, writePairs } from './run-program.js';

let server: FakeServer;
const data = writePairs();
const prices = join(temporaryFolder(), 'prices.json');
const whole = join(temporaryFolder(), 'whole');

beforeAll(async () => {
  server = await startFakeServer({ script: judgeScript });
  writeFileSync(
    prices,
    JSON.stringify({ date: '2026-08-01', models: { 'fake-model': { in: 1, out: 4 } } }),
  );
  const { code, stderr } = await judge(whole);
  expect(code, stderr).toBe(0);
});
afterAll(() => server.close());
beforeEach(() => server.useScript(judgeScript));

const asked = () => ['--base-url', server.url, '--model', 'fake-model', '--cache', 'off'];
const quick = ['--set', 'evaluation.resamples=100'];
const judge = (out: string, ...more: readonly string[]) =>
  runProgram('judge', '--data', data, '--out', out, ...asked(), ...quick, ...more);
const bytes = (dir: string) => readFileSync(join(dir, 'predictions.jsonl'), 'utf8');
const evaluation = (dir: string) => readFileSync(join(dir, 'evaluation.json'), 'utf8');
const folder = () => join(temporaryFolder(), 'run');

describe('judge', () => {
  test('costs what the server counted, call by call', async () => {
    server.reset();
    const out = folder();
    const { code, stdout } = await judge(out, '--prices', prices, '--json');
    expect(code).toBe(0);
    const { promptTokens, completionTokens, received } = server.counters;
    expect(received).toBe(12 * (1 + 2 * 2 * 2));
    const { evaluation } = JSON.parse(stdout);
    expect(evaluation.network).toMatchObject({
      calls: received,
      tokens: { in: promptTokens, out: completionTokens },
    });
    expect(evaluation.network.costUsd).toBeCloseTo((promptTokens + 4 * completionTokens) / 1e6, 9);
    expect(readRunRecord(out).usage).toMatchObject({ promptTokens, completionTokens });
  });

  test('writes predictions, evaluation and page, and says so', async () => {
    const { stdout, code } = await runProgram('evaluate', whole);
    expect(code).toBe(0);
    expect(stdout).toMatch(/pairs judged +12 of 12/);
    expect(stdout).toMatch(/Cohen's kappa/);
    for (const name of ['predictions.jsonl', 'evaluation.json', 'report.html', 'run.json']) {
      expect(existsSync(join(whole, name)), name).toBe(true);
    }
    expect(readRunRecord(whole).config.resolved).toMatchObject({
      model: 'fake-model',
      preset: 'widedeep',
    });
  });

  test('a budget ends it with 6, and it goes on to the same bytes', async () => {
    const out = folder();
    const stopped = await judge(out, '--max-calls', '40');
    expect([stopped.code, stopped.stderr]).toEqual([6, expect.stringContaining('budget reached')]);
    const resumed = await runProgram('judge', '--resume', out, '--cache', 'off');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(bytes(out)).toBe(bytes(whole));
    expect(evaluation(out)).toBe(evaluation(whole));
  });

  test('several servers share the pairs, and it goes on with all of them', async () => {
    const second = await startFakeServer({ script: judgeScript });
    const out = folder();
    try {
      const flags = ['--base-url', second.url, '--timeout', '60', '--max-attempts', '2'];
      expect((await judge(out, ...flags, '--max-calls', '40')).code).toBe(6);
      const before = second.counters.received;
      const resumed = await runProgram('judge', '--resume', out);
      expect(resumed.code, resumed.stderr).toBe(0);
      expect([before, second.counters.received - before].every((count) => count > 0)).toBe(true);
    } finally {
      await second.close();
    }
    expect(bytes(out)).toBe(bytes(whole));
    expect(readRunRecord(out).config.passed).toMatchObject({
      ...{ baseUrl: [server.url, second.url], timeout: 60, maxAttempts: 2 },
    });
  });

  test('failures of the server are asked again', async () => {
    const out = folder();
    server.useScript({
      rules: [
        { do: 'status', status: 400, message: 'not now', when: { share: 0.05 } },
        ...judgeScript.rules!,
      ],
    });
    const failed = await judge(out);
    expect(failed.code).toBe(7);
    server.useScript(judgeScript);
    const resumed = await runProgram('judge', '--resume', out, '--cache', 'off');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(bytes(out)).toBe(bytes(whole));
  });

  test('shards are merged into the run of one process', async () => {
    const [shards, merged] = [folder(), folder()];
    for (const shard of ['0/2', '1/2']) {
      expect((await judge(shards, '--shard', shard)).code).toBe(0);
    }
    const { code, stderr } = await runProgram('merge', shards, '--out', merged);
    expect(code, stderr).toBe(0);
    expect(bytes(merged)).toBe(bytes(whole));
  });

  test('what is recorded is replayed without a server', async () => {
    const [record, out] = [folder(), folder()];
    expect((await judge(folder(), '--record', record)).code).toBe(0);
    const replayed = await runProgram(
      ...['judge', '--data', data, '--out', out, '--model', 'fake-model', '--replay', record],
      ...quick,
    );
    expect(replayed.code, replayed.stderr).toBe(0);
    const verdicts = (dir: string) =>
      bytes(dir)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).output.verdict);
    expect(verdicts(out)).toEqual(verdicts(whole));
  });

  test('answers from the cache are not paid again', async () => {
    const cache = ['--cache', 'write', '--cache-dir', folder()];
    const first = await judge(folder(), ...cache);
    expect(first.code, first.stderr).toBe(0);
    server.reset();
    expect((await judge(folder(), ...cache)).code).toBe(0);
    expect(server.counters.received).toBe(0);
  });

  test('pairs without verdicts end it with 7', async () => {
    server.useScript({ rules: [{ do: 'text', text: 'No scores.' }] });
    const { code, stderr } = await judge(folder(), '--set', 'judge.parseAttempts=1');
    expect([code, stderr]).toEqual([7, expect.stringContaining('12 of 12 pairs have no verdict')]);
  });

  test('several models judge in one network', async () => {
    const out = folder();
    const models = ['--set', `jury.models=["other-model","third@${server.url}"]`];
    const { code, stderr } = await judge(out, ...models);
    expect(code, stderr).toBe(0);
    const first = JSON.parse(bytes(out).split('\n')[0]!).output;
    expect(first.layers[0].neurons.map(({ model }: { model: string }) => model)).toEqual([
      'fake-model',
      'other-model',
    ]);
  });
});
