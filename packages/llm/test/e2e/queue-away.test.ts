/** A Redis that goes away is waited for, and both ends say so. */
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, createMemoryStore } from '../../src/index.js';
import { createQueueClient, type RedisEvent, workOnQueue } from '../../src/queue.js';
import { type FakeServer, startFakeServer } from '../../src/testing.js';
import { sayHere } from './llm-here.js';
import { writeRows } from './llm-process.js';
import { hasRedis, type RedisServer, startRedis } from './redis-server.js';

let server: FakeServer;
let redis: RedisServer;

beforeAll(async () => {
  server = await startFakeServer();
  if (hasRedis) redis = await startRedis();
});

afterAll(async () => {
  await server.close();
  if (hasRedis) await redis.close();
});

describe.skipIf(!hasRedis)('a Redis that goes away (needs redis)', () => {
  it('is waited for; who waits is told, and nothing is said of an ordinary end', async () => {
    const named = { baseUrl: server.url, model: 'fake' };
    const told: Record<'run' | 'work', RedisEvent[]> = { run: [], work: [] };
    const stop = new AbortController();
    const cache = createMemoryStore();
    const working = workOnQueue({
      ...{ url: redis.url, client: { ...named, cache }, signal: stop.signal },
      onRedis: (event) => told.work.push(event),
    });
    const asked = await createQueueClient({
      ...{ url: redis.url, client: createClient(named), cache: createMemoryStore(), lookMs: 200 },
      onRedis: (event) => told.run.push(event),
    });
    const ask = (content: string) => asked.chat({ messages: [{ role: 'user', content }] });
    await ask('before');
    await redis.killAndRestart();
    await ask('after');
    const both: RedisEvent[] = ['away', 'back'];
    await expect.poll(() => told, { timeout: 60_000 }).toEqual({ run: both, work: both });
    await asked.close();
    stop.abort();
    expect(await working).toMatchObject({ answered: 2 });
    expect(told).toEqual({ run: both, work: both });
  });

  it('is named where it was never there', async () => {
    const { data, prompt } = writeRows(3);
    const { code, stderr } = await sayHere(
      ...['run', '--data', data, '--prompt', prompt, '--base-url', server.url, '--model', 'm'],
      ...['--queue', 'redis://127.0.0.1:9', '--out', temporaryFolder()],
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('redis://127.0.0.1:9 (connect E')]);
  });
});
