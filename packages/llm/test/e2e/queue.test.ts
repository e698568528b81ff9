import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder, wholeLines } from '@lab/core/testing';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createClient, createMemoryStore, type LlmClient, LlmFailure } from '../../src/index.js';
import { createQueueClient, workOnQueue, type WorkSummary } from '../../src/queue.js';
import { type FakeServer, startFakeServer } from '../../src/testing.js';
import { idsOf, llm, programArguments, writeRows } from './llm-process.js';
import { hasRedis, kill, type RedisServer, startRedis } from './redis-server.js';

let server: FakeServer;
let other: FakeServer;
let redis: RedisServer;

const model = ['--alias', 'fake', '--model', 'fake'];
const perWorker = 4;

const run = (rows: ReturnType<typeof writeRows>, out: string, ...more: string[]) => [
  ...['run', '--data', rows.data, '--prompt', rows.prompt, '--base-url', server.url, ...model],
  ...['--out', out, ...more],
];

const work = (url: string, cacheDir: string, ...more: string[]) => [
  ...['work', '--queue', url, '--base-url', server.url, ...model],
  ...['--cache-dir', cacheDir, '--concurrency', String(perWorker), '--takeover', '3', ...more],
];

const started = new Set<ChildProcess>();

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [...programArguments(), ...args], { stdio: 'ignore' });
  started.add(child);
  return child;
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once('close', resolve);
  });

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const hashesIn = (cacheDir: string) =>
  readdirSync(cacheDir).flatMap((name) =>
    wholeLines(join(cacheDir, name)).map((line) => (JSON.parse(line) as { hash: string }).hash),
  );

beforeAll(async () => {
  [server, other] = await Promise.all([startFakeServer({ latencyMs: 25 }), startFakeServer()]);
  if (hasRedis) redis = await startRedis();
});

// Also after a failure: what still works would take the requests of the next test.
afterEach(async () => {
  await Promise.all([...started].map(kill));
  started.clear();
});

afterAll(async () => {
  await Promise.all([server.close(), other.close()]);
  if (hasRedis) await redis.close();
});

describe.skipIf(!hasRedis)('a queue in Redis (needs redis)', () => {
  it('killed workers, Redis and run: each row once, as in a single run', async () => {
    const rows = writeRows(600);
    const cacheDir = join(temporaryFolder(), 'cache');
    const out = join(temporaryFolder(), 'run');
    const args = run(rows, out, '--queue', redis.url, '--cache-dir', cacheDir, '--quiet');
    const whole = join(temporaryFolder(), 'whole');
    const alone = run(rows, whole, '--cache', 'off');
    const single = await llm(alone.map((word) => (word === server.url ? other.url : word)));
    expect(single.code, single.stderr).toBe(0);
    const adder = start([...args, '--resume']);
    const workers = [1, 2, 3].map(() => start(work(redis.url, cacheDir)));
    /** What was kept when somebody was killed, and how many requests there were by then. */
    const kept: { readonly hashes: Set<string>; readonly asked: number }[] = [];
    const killOne = async (child: ChildProcess | undefined) => {
      if (child !== undefined) await kill(child);
      const hashes = new Set(hashesIn(cacheDir));
      kept.push({ hashes, asked: server.requests().length });
    };
    await until(() => server.counters.paid > 100);
    await killOne(workers[0]);
    workers.push(start(work(redis.url, cacheDir))); // as its supervisor would
    await until(() => server.counters.paid > 200);
    await redis.killAndRestart();
    await until(() => server.counters.paid > 350);
    await killOne(workers[1]);
    await until(() => server.counters.paid > 450);
    await killOne(adder);
    const again = await llm([...args, '--resume']);
    expect(again.code, again.stderr).toBe(0);
    const path = join(out, 'predictions.jsonl');
    expect(idsOf(path)).toEqual(idsOf(rows.data));
    const { surplusPaid, byPrompt } = server.counters;
    expect(byPrompt.size).toBe(600);
    // What died with its process before it was kept; nothing else.
    expect(surplusPaid).toBeLessThanOrEqual(2 * perWorker);
    const predictions = wholeLines(path).map(
      (line) => JSON.parse(line) as { id: string; requestHash: string },
    );
    const hashes = new Map(predictions.map(({ id, requestHash }) => [id, requestHash]));
    const askedFor = server.requests().map(({ body }) => {
      const [message] = body['messages'] as { content: string }[];
      return hashes.get(
        /question \d+/.exec(message?.content ?? '')?.[0].replace('question', 'row') ?? '',
      );
    });
    for (const { hashes: safe, asked } of kept) {
      expect(safe.size).toBeGreaterThan(0);
      expect(askedFor.slice(asked).filter((hash) => hash === undefined || safe.has(hash))).toEqual(
        [],
      );
    }
    expect(readFileSync(path, 'utf8')).toBe(readFileSync(join(whole, 'predictions.jsonl'), 'utf8'));
  });

  it('SIGTERM finishes what is in flight, exits 143, and others go on', async () => {
    server.reset();
    const rows = writeRows(120);
    const cacheDir = join(temporaryFolder(), 'cache');
    const out = join(temporaryFolder(), 'run');
    // A queue of its own: the other one may still know answers to the same questions.
    const own = ['--alias', 'signals'];
    const args = run(rows, out, '--queue', redis.url, '--quiet', ...own);
    const running = llm([...args, '--cache-dir', join(temporaryFolder(), 'cache')]);
    const first = start(work(redis.url, cacheDir, ...own));
    await until(() => server.counters.paid > 30);
    first.kill('SIGTERM');
    expect(await ended(first)).toBe(143);
    const { paid } = server.counters;
    expect(hashesIn(cacheDir)).toHaveLength(paid);
    const stop = new AbortController();
    const named = { baseUrl: server.url, alias: 'signals', model: 'fake' };
    const client = { ...named, cache: createMemoryStore() };
    const second = workOnQueue({ url: redis.url, client, signal: stop.signal });
    const { code, stderr } = await running;
    expect(code, stderr).toBe(0);
    expect(server.counters).toMatchObject({ paid: 120, surplusPaid: 0 });
    stop.abort();
    expect(await second).toMatchObject({ answered: 120 - paid, failed: 0 });
  });
});

const questions = (count: number, about: string) =>
  Array.from({ length: count }, (_, i) => ({
    messages: [{ role: 'user' as const, content: `${about} ${i}` }],
  }));

/** Asks through the queue, with a worker in this process. */
async function throughQueue<T>(
  use: (open: () => Promise<LlmClient>) => Promise<T>,
  rate?: { readonly requests: number; readonly milliseconds: number },
): Promise<{ readonly value: T; readonly summary: WorkSummary }> {
  const named = { baseUrl: server.url, model: 'fake' };
  const stop = new AbortController();
  const client = createClient(named);
  const cache = createMemoryStore();
  const working = workOnQueue({
    ...{ url: redis.url, client: { ...named, cache, concurrency: 8 }, signal: stop.signal },
  });
  const open: LlmClient[] = [];
  const value = await use(async () => {
    const own = createMemoryStore();
    const made = await createQueueClient({
      ...{ url: redis.url, client, cache: own, rate, lookMs: 500 },
      onNobody: () => expect.unreachable('a worker is there'),
    });
    open.push(made);
    return made;
  });
  await Promise.all(open.map((one) => one.close()));
  stop.abort();
  const summary = await working;
  await client.close();
  return { value, summary };
}

describe.skipIf(!hasRedis)('requests in a queue (needs redis)', () => {
  it('equal requests of several processes are one job', async () => {
    server.reset();
    const { value } = await throughQueue(async (open) => {
      const clients = await Promise.all([open(), open(), open()]);
      const asked = clients.map((client) =>
        Promise.all(questions(40, 'the same').map((request) => client.chat(request))),
      );
      return Promise.all(asked);
    });
    const texts = value.map((results) => results.map(({ text }) => text));
    expect(texts[1]).toEqual(texts[0]);
    expect(texts[2]).toEqual(texts[0]);
    expect(server.counters).toMatchObject({ paid: 40, surplusPaid: 0 });
  });

  it('a rate limit of the server pauses all, and fails nothing', async () => {
    server.reset();
    const pause = { retryAfter: 'milliseconds' as const, waitMs: 300 };
    server.useScript({ rules: [{ do: 'rate-limit', ...pause, when: { requests: [5, 9] } }] });
    const { value, summary } = await throughQueue(async (open) => {
      const client = await open();
      return Promise.all(questions(40, 'limited').map((request) => client.chat(request)));
    });
    server.useScript({});
    expect(value).toHaveLength(40);
    expect(summary).toMatchObject({ answered: 40, failed: 0 });
    expect(summary.rateLimited).toBeGreaterThan(0);
    expect(server.counters).toMatchObject({ paid: 40, rejected: 5, surplusPaid: 0 });
  });

  it('all workers together keep to a rate', async () => {
    server.reset();
    const from = performance.now();
    const asking = async (open: () => Promise<LlmClient>) => {
      const client = await open();
      return Promise.all(questions(40, 'slowly').map((request) => client.chat(request)));
    };
    await throughQueue(asking, { requests: 10, milliseconds: 400 });
    // Four windows of ten: three whole waits lie between them.
    expect(performance.now() - from).toBeGreaterThan(1200);
    expect(server.counters.paid).toBe(40);
  });

  it('requests that nobody answers are said to be so, and are taken back', async () => {
    const client = createClient({ baseUrl: server.url, model: 'nobody' });
    const interrupt = new AbortController();
    let isNobodySaid = false;
    const waiting = await createQueueClient({
      ...{ url: redis.url, client, cache: createMemoryStore(), signal: interrupt.signal },
      lookMs: 100,
      onNobody: () => {
        isNobodySaid = true;
      },
    });
    const asked = Promise.all(questions(3, 'nobody').map((request) => waiting.chat(request)));
    const failure = asked.catch((error: unknown) => error);
    await until(() => isNobodySaid);
    interrupt.abort();
    expect(await failure).toBeInstanceOf(LlmFailure);
    expect(await failure).toMatchObject({ kind: 'aborted' });
    await waiting.close();
    await client.close();
    const link = new Redis(redis.url);
    expect(await link.keys('lab:*:wait')).toEqual([]);
    link.disconnect();
  });

  it('a failure of a request is that of a single run, and is asked again', async () => {
    server.reset();
    server.useScript({ rules: [{ do: 'status', status: 400, message: 'No such thing.' }] });
    const [request] = questions(1, 'broken');
    if (request === undefined) throw new Error('no request');
    const { value } = await throughQueue(async (open) => {
      const client = await open();
      const failure = await client.chat(request).catch((error: unknown) => error);
      server.useScript({});
      return { failure, later: await client.chat(request) };
    });
    expect(value.failure).toMatchObject({ kind: 'bad-request', status: 400, attempts: 1 });
    expect(value.later).toMatchObject({ isCached: false, attempts: 1 });
  });
});

describe('without Redis', () => {
  it('says that none answers, and keeps the password to itself', async () => {
    // A port that no program is given by chance.
    const url = 'redis://user:secret@127.0.0.1:1';
    const dir = temporaryFolder();
    const rows = writeRows(2);
    const results = await Promise.all([
      llm(work(url, dir)),
      llm(run(rows, join(dir, 'run'), '--cache-dir', dir, '--queue', url)),
    ]);
    expect(results.map(({ code }) => code)).toEqual([2, 2]);
    for (const { stderr: text } of results) {
      expect(text).toMatch(/no Redis answers at redis:\/\/127\.0\.0\.1:\d+ \(.*ECONNREFUSED/);
      expect(text).not.toContain('secret');
    }
  });
});
