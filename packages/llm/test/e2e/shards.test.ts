import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listAnswers, systemClock } from '../../src/index.js';
import { type FakeServer, startFakeServer } from '../../src/testing.js';
import { llm, writeRows } from './llm-process.js';

let server: FakeServer;
/** Requests of one process at a time. */
const concurrency = 8;
const rows = writeRows(600);
const cacheDir = join(temporaryFolder(), 'cache');

const run = (out: string, ...more: string[]) => [
  ...['run', '--data', rows.data, '--prompt', rows.prompt, '--base-url', server.url],
  ...['--model', 'fake', '--concurrency', String(concurrency), '--out', out, '--quiet', ...more],
];

beforeAll(async () => {
  server = await startFakeServer({ latencyMs: 2 });
});

afterAll(() => server.close());

describe('processes side by side', () => {
  it('three shards of one cache, merged, are a whole run; nothing is lost', async () => {
    const out = join(temporaryFolder(), 'sharded');
    const shards = ['0/3', '1/3', '2/3'].map((shard) =>
      llm(run(out, '--shard', shard, '--cache-dir', cacheDir)),
    );
    for (const { code, stderr } of await Promise.all(shards)) expect(code, stderr).toBe(0);
    expect(server.counters).toMatchObject({ paid: 600, doublePaid: 0 });
    const merged = join(temporaryFolder(), 'merged');
    const { code, stderr } = await llm(['merge', out, '--out', merged]);
    expect(code, stderr).toBe(0);
    // All answers of three processes are in the cache: a whole run asks nothing.
    const whole = join(temporaryFolder(), 'whole');
    const again = await llm(run(whole, '--cache-dir', cacheDir));
    expect(again.code, again.stderr).toBe(0);
    expect(server.counters.paid).toBe(600);
    const bytes = (dir: string) => readFileSync(join(dir, 'predictions.jsonl'), 'utf8');
    expect(bytes(merged)).toBe(bytes(whole));
    const listing = await llm(['cache', 'ls', '--cache-dir', cacheDir, '--json']);
    expect(JSON.parse(listing.stdout)).toMatchObject({ answers: 600, segments: 3 });
  });

  it('two on one cache folder lose no answer, and need no lock', async () => {
    const folder = join(temporaryFolder(), 'shared');
    const out = temporaryFolder();
    // Nothing is answered before both ask: else the one may find all answers of the other.
    const sleep = async () => {
      while (both.counters.received <= concurrency) await turn();
    };
    const both = await startFakeServer({ latencyMs: 2, clock: { ...systemClock, sleep } });
    const runOf = (name: string) =>
      run(join(out, name), '--cache-dir', folder).map((word) =>
        word === server.url ? both.url : word,
      );
    const ended = await Promise.all(['one', 'two'].map((name) => llm(runOf(name))));
    for (const { code, stderr } of ended) expect(code, stderr).toBe(0);
    const bytes = (name: string) => readFileSync(join(out, name, 'predictions.jsonl'), 'utf8');
    expect(bytes('one')).toBe(bytes('two'));
    // Segments of answers alone: nothing that a process would have to wait for.
    const files = readdirSync(folder);
    expect(files.filter((name) => !/^answers-.*\.jsonl$/.test(name))).toEqual([]);
    expect(files).toHaveLength(2);
    const { paid } = both.counters;
    expect(paid).toBeLessThanOrEqual(2 * 600);
    expect(await listAnswers(folder)).toMatchObject({ answers: 600, segments: 2 });
    const third = await llm(runOf('three'));
    expect([third.code, both.counters.paid]).toEqual([0, paid]);
    await both.close();
  });

  it('a second process on one shard is refused', async () => {
    const slow = await startFakeServer({ latencyMs: 300 });
    const out = join(temporaryFolder(), 'run');
    const args = run(out, '--cache', 'off', '--resume').map((word) =>
      word === server.url ? slow.url : word,
    );
    const first = new AbortController();
    const running = llm(
      args.filter((word) => word !== '--quiet'),
      { signal: first.signal },
    );
    await slowly(() => readFileSync(join(out, 'run.json'), 'utf8'));
    const second = await llm(args);
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining('in use by process')]);
    first.abort();
    await running;
    await slow.close();
  });
});

const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Tries until it does not throw. */
async function slowly(look: () => unknown): Promise<void> {
  for (;;) {
    try {
      look();
      return;
    } catch {
      await turn();
    }
  }
}
