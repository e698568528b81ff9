import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listAnswers } from '../../src/index.js';
import { type FakeServer, startFakeServer } from '../../src/testing.js';
import { llm, writeRows } from './llm-process.js';

let server: FakeServer;
const rows = writeRows(600);
const cacheDir = join(temporaryFolder(), 'cache');

const run = (out: string, ...more: string[]) => [
  ...['run', '--data', rows.data, '--prompt', rows.prompt, '--base-url', server.url],
  ...['--model', 'fake', '--concurrency', '8', '--out', out, '--quiet', ...more],
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
    server.reset();
    const names = ['one', 'two'];
    const both = names.map((name) => llm(run(join(out, name), '--cache-dir', folder)));
    for (const { code, stderr } of await Promise.all(both)) expect(code, stderr).toBe(0);
    const bytes = (name: string) => readFileSync(join(out, name, 'predictions.jsonl'), 'utf8');
    expect(bytes('one')).toBe(bytes('two'));
    // Segments of answers alone: nothing that a process would have to wait for.
    const files = readdirSync(folder);
    expect(files.filter((name) => !/^answers-.*\.jsonl$/.test(name))).toEqual([]);
    expect(files).toHaveLength(2);
    const { paid } = server.counters;
    expect(paid).toBeLessThanOrEqual(2 * 600);
    expect(await listAnswers(folder)).toMatchObject({ answers: 600, segments: 2 });
    const third = await llm(run(join(out, 'three'), '--cache-dir', folder));
    expect([third.code, server.counters.paid]).toEqual([0, paid]);
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

/** Tries until it does not throw. */
async function slowly(look: () => unknown): Promise<void> {
  for (;;) {
    try {
      look();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
