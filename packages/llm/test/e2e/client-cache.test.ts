import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CacheMode } from '../../src/answer-cache.js';
import { createMemoryStore } from '../../src/cache/memory-store.js';
import { createClient } from '../../src/index.js';
import { type FakeServer, startFakeServer } from '../../src/testing.js';

let server: FakeServer;
beforeAll(async () => {
  server = await startFakeServer();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

const request = { messages: [{ role: 'user', content: 'once' }] as const, topLogprobs: 2 };

/** Asks twice, by clients of their own; how often the server was asked, and what came. */
async function askTwice(first: CacheMode, second: CacheMode) {
  const cache = createMemoryStore();
  const results = [];
  for (const cacheMode of [first, second]) {
    const prices = { costUsd: () => 0.5 };
    const client = createClient({
      ...{ baseUrl: server.url, model: 'fake-model', cache, cacheMode, prices },
    });
    results.push(await client.chat(request));
    await client.close();
  }
  return { asked: server.counters.received, results, cache };
}

describe('the cache of a client', () => {
  it.each<[CacheMode, CacheMode, number]>([
    ['read-write', 'read-write', 1],
    ['write', 'read', 1],
    ['read', 'read-write', 2],
    ['read-write', 'refresh', 2],
    ['read-write', 'off', 2],
    ['off', 'read', 2],
    ['write', 'write', 2],
  ])('%s, then %s: %i requests', async (first, second, expected) => {
    expect((await askTwice(first, second)).asked).toBe(expected);
  });

  it('gives the same answer, with what it cost', async () => {
    const { results } = await askTwice('read-write', 'read');
    const [paid, kept] = results;
    expect(kept).toEqual({ ...paid, isCached: true, attempts: 0 });
    expect(kept?.costUsd).toBe(0.5);
  });

  it('warns where the model of a kept answer is not the one that answers now', async () => {
    const cache = createMemoryStore();
    server.useScript({ rules: [{ do: 'wrong-model', name: 'older' }] });
    const options = { baseUrl: server.url, model: 'fake-model', cache };
    const before = createClient(options);
    await before.chat(request);
    server.useScript({});
    const now = createClient(options);
    const other = { messages: [{ role: 'user', content: 'other' }] as const };
    expect((await now.chat(other)).warnings).toEqual([]);
    expect((await now.chat(request)).warnings).toEqual([
      'served model: older, before it was fake-model',
    ]);
    await Promise.all([before.close(), now.close()]);
  });

  it('keeps no failures', async () => {
    const cache = createMemoryStore();
    server.useScript({ rules: [{ do: 'refusal' }] });
    const client = createClient({ baseUrl: server.url, model: 'fake-model', cache });
    await expect(client.chat(request)).rejects.toMatchObject({ kind: 'refusal' });
    expect(cache.has(client.hashOf(request))).toBe(false);
    await client.close();
  });

  it('is shared by servers of one alias', async () => {
    const names = { model: 'm', alias: 'pool' };
    const one = createClient({ baseUrl: 'http://a.invalid/v1', ...names });
    const other = createClient({ baseUrl: 'http://b.invalid/v1', ...names });
    expect(one.hashOf(request)).toBe(other.hashOf(request));
  });
});
