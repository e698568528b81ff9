import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { temporaryFolder, wholeLines } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FakeServer, startFakeServer } from '../../src/testing.js';
import { idsOf, llm, programArguments, writeRows } from './llm-process.js';

let server: FakeServer;
const rows = writeRows(400);

const run = (out: string, ...more: string[]) => [
  ...['run', '--data', rows.data, '--prompt', rows.prompt, '--base-url', server.url],
  ...['--model', 'fake', '--concurrency', '4', '--out', out, '--cache', 'off', ...more],
];

beforeAll(async () => {
  server = await startFakeServer({ latencyMs: 20 });
});

afterAll(() => server.close());

describe('signals', () => {
  it.each([
    { signal: 'SIGINT' as const, code: 130 },
    { signal: 'SIGTERM' as const, code: 143 },
  ])('$signal finishes what is in flight, exits $code, and the run goes on', async (how) => {
    const out = join(temporaryFolder(), 'run');
    const before = server.counters.paid;
    const send = [{ after: '/400 rows  ', signal: how.signal }];
    const { code, stderr } = await llm(run(out), { send });
    expect(code, stderr).toBe(how.code);
    expect(stderr).toMatch(/saving \.\.\. saved: resume with /);
    const path = join(out, 'predictions.jsonl');
    const finished = wholeLines(path).length;
    expect(finished).toBeLessThan(400);
    expect(readRunRecord(out).status).toBe('interrupted');
    // All that was paid was kept.
    expect(server.counters.paid - before).toBe(finished);
    const again = await llm(['run', '--resume', out, '--quiet']);
    expect(again.code, again.stderr).toBe(0);
    expect(server.counters.paid - before).toBe(400);
    expect(idsOf(path)).toEqual(idsOf(rows.data));
  });

  it('a second Ctrl-C ends at once and says what is lost', async () => {
    // Some rows are done, and the next ones are under way for longer than anybody waits.
    const slow = await startFakeServer({
      script: { rules: [{ do: 'latency', ms: 600_000, when: { requests: [9, 400] } }] },
    });
    const out = join(temporaryFolder(), 'run');
    const args = run(out).map((word) => (word === server.url ? slow.url : word));
    const child = spawn(process.execPath, [...programArguments(), ...args]);
    let stderr = '';
    const said = (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => stderr.includes(text) && resolve();
        child.stderr.on('data', look);
        look();
      });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await vi.waitFor(() => expect(slow.requests().length).toBeGreaterThan(8), 300_000);
    child.kill('SIGINT');
    await said('saving');
    // Within 0.3 s it would be the same key press.
    await new Promise((resolve) => setTimeout(resolve, 400));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(stderr).toContain('ended at once');
    await slow.close();
  });
});

describe('exit codes', () => {
  it('6 at a budget, with a state to resume', async () => {
    const out = join(temporaryFolder(), 'run');
    const before = server.counters.paid;
    const stopped = await llm(run(out, '--max-calls', '50', '--json'));
    expect(stopped.code).toBe(6);
    expect(JSON.parse(stopped.stdout)).toMatchObject({
      run: out,
      status: 'error',
      error: { code: 'LAB_BUDGET' },
    });
    expect(server.counters.paid - before).toBe(50);
    expect(wholeLines(join(out, 'predictions.jsonl'))).toHaveLength(50);
    const again = await llm(run(out, '--resume', '--json'));
    expect(again.code, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ results: { finished: 400, skipped: 50 } });
  });

  it('7 for failed rows, and only these are asked again', async () => {
    const script = {
      rules: [{ do: 'status' as const, status: 400, when: { contains: 'question 7' } }],
    };
    const broken = await startFakeServer({ script });
    const out = join(temporaryFolder(), 'run');
    const args = run(out).map((word) => (word === server.url ? broken.url : word));
    const { code, stderr } = await llm([...args, '--json']);
    expect(code, stderr).toBe(7);
    const failed = wholeLines(join(out, 'failures.jsonl')).length;
    expect(failed).toBe(11); // 7 and 70 to 79
    expect((await llm([...args, '--resume', '--max-errors', '11', '--quiet'])).code).toBe(0);
    await broken.close();
  });

  it('4 for a key that is refused, 3 for rows without id, 2 for what is missing', async () => {
    const script = { rules: [{ do: 'status' as const, status: 401 }] };
    const closed = await startFakeServer({ script });
    const out = join(temporaryFolder(), 'run');
    const args = run(out).map((word) => (word === server.url ? closed.url : word));
    expect((await llm(args)).code).toBe(4);
    await closed.close();
    const wrong = run(join(temporaryFolder(), 'run'), '--id-field', 'name');
    const noId = await llm(wrong);
    expect([noId.code, noId.stderr]).toEqual([3, expect.stringContaining('line 1')]);
    expect((await llm(['run', '--data', rows.data])).code).toBe(2);
  });

  it('a plan asks nothing and makes nothing', async () => {
    const out = join(temporaryFolder(), 'run');
    const before = server.counters.received;
    const { code, stdout, stderr } = await llm(run(out, '--dry-run', '--json'));
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'planned',
      plan: { rows: 400, calls: 400, cacheHits: 0, costUsd: null },
    });
    expect(server.counters.received).toBe(before);
    expect(() => readFileSync(join(out, 'run.json'))).toThrow('ENOENT');
  });
});
