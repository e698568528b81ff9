import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type AnswerStore,
  type ChatRequest,
  type Clock,
  createClient,
  type LlmFailure,
  openAnswerStore,
  runRows,
  type RunRowsOptions,
  systemClock,
} from '../../src/index.js';
import { withSchema } from '../../src/structured/with-schema.js';
import { type FakeServer, promptHash, startFakeServer } from '../../src/testing.js';
import type { Rules } from './client-setup.js';

const rowCount = 300;
const shards = 2;
const concurrency = 32;
const hour = 3_600_000;
const speed = 50;

const schema = z.object({ reason: z.string(), verdict: z.enum(['yes', 'no']) });
const share = (of: number) => ({ share: of, draw: 'attempt' as const });
/** What a prompt gets in the end, whatever happens before. */
const answers: Rules = [
  { do: 'truncate', tokens: 300, when: { contains: 'much text' } },
  { do: 'fenced', when: { share: 0.3 } },
  { do: 'text', text: '{"reason": "r", "verdict": "yes",}', when: { share: 0.1 } },
  { do: 'text', text: "{'reason': 'no', 'verdict': 'NO'}", when: { share: 0.1 } },
];
const faults: Rules = [
  { do: 'rate-limit', retryAfter: 'milliseconds', waitMs: 300, when: share(0.017) },
  { do: 'rate-limit', retryAfter: 'seconds', waitMs: 500, when: share(0.017) },
  { do: 'rate-limit', retryAfter: 'date', waitMs: 900, when: share(0.017) },
  { do: 'cut', at: 'mid-body', when: share(0.02) },
  { do: 'hang', when: { contains: 'hangs', times: 1 } },
  { do: 'broken-json', when: share(0.02) },
];

/** One row in a hundred hangs; two, as three in a row would end the run, are cut. */
const textOf = (index: number): string => {
  if (index % 150 === 75) return `${index} ${'much text '.repeat(400)}`;
  return index % 100 === 33 ? `question ${index} hangs` : `question ${index}`;
};
const rows = Array.from({ length: rowCount }, (_, index) => ({
  id: `row ${index}`,
  text: textOf(index),
}));
type Row = (typeof rows)[number];

const requestOf = ({ text }: Row): ChatRequest => ({
  messages: [{ role: 'user', content: text }],
  timeoutMs: text.includes('hangs') ? 400 : 60_000,
});
const asked = (row: Row) => withSchema(requestOf(row), schema, 'json-schema');
const truncatedRows = rows.filter(({ text }) => text.includes('much')).map(({ id }) => id);

/** Fifty times as fast, and with a wrong date. */
const clockOff = (offMs: number): Clock => ({
  now: () => systemClock.now() * speed,
  date: () => systemClock.date() + offMs,
  sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / speed, signal),
});

describe('5 % 429 in each form, 2 % resets, 1 % hangs, broken bodies, cut prompts', () => {
  let server: FakeServer;
  const folder = temporaryFolder();
  const cacheDir = join(folder, 'cache');
  const statePath = join(folder, 'paid');
  /** Payments of a prompt when its answer was stored. */
  const paidWhenStored = new Map<string, number>();
  const prompts = new Map<string, string>();
  let starts = 0;

  async function start(port?: number): Promise<void> {
    starts += 1;
    // What is drawn for a rule depends on its place: that of answers is the same without faults.
    const script = { rules: [...answers, ...faults] };
    server = await startFakeServer({ script, port, statePath, latencyMs: 2 });
  }

  /** Notes what was paid for an answer by the time that it is safe. */
  const watched = (store: AnswerStore): AnswerStore => ({
    ...{ get: (hash) => store.get(hash), has: (hash) => store.has(hash) },
    ...{ iterate: () => store.iterate(), close: () => store.close() },
    async put(answer) {
      await store.put(answer);
      const prompt = prompts.get(answer.hash) ?? '';
      paidWhenStored.set(prompt, server.counters.byPrompt.get(prompt)?.paid ?? 0);
    },
  });

  function settings(url: string, offMs: number, out: string) {
    const cache = watched(openAnswerStore(cacheDir));
    const client = createClient({
      ...{ baseUrl: url, alias: 'fake', model: 'm', cache, concurrency, clock: clockOff(offMs) },
      random: createRandom(7),
    });
    for (const row of rows) prompts.set(client.hashOf(asked(row)), promptHash(asked(row).messages));
    const options: RunRowsOptions<Row, unknown> = {
      ...{ rows, client, out, concurrency, resume: true },
      step: async (row, context) => (await context.client.json(requestOf(row), schema)).json,
      description: { method: 'faults', label: 'm', config: {} },
    };
    const close = async () => {
      await client.close();
      await cache.close();
    };
    return { options, close };
  }

  /** Runs a shard until no row is left; gives how often it had to go on. */
  async function runShard(index: number, out: string): Promise<number> {
    for (let times = 0; ; times += 1) {
      // One clock is an hour late, the other an hour early.
      const { options, close } = settings(server.url, index === 0 ? -hour : hour, out);
      try {
        const { counts } = await runRows({ ...options, shard: { index, count: shards } });
        expect(counts.failed).toBe(0);
        return times;
      } catch (error) {
        // Rows may be left over, and a server that was down for long ends a run.
        const { code, endsRun } = error as LlmFailure;
        expect(code === 'LAB_FAILED_ROWS' || endsRun, String(error)).toBe(true);
        expect(times).toBeLessThan(20);
      } finally {
        await close();
      }
    }
  }

  const fileOf = (dir: string, name = 'predictions.jsonl') => readFileSync(join(dir, name), 'utf8');

  beforeAll(() => start());
  afterAll(() => server.close());

  it('lose no row and pay for none again once its answer is stored, over a restart', async () => {
    const out = join(folder, 'run');
    const running = Promise.all([runShard(0, out), runShard(1, out)]);
    await expect.poll(() => server.counters.paid, { timeout: 60_000 }).toBeGreaterThan(60);
    const { port } = server;
    await server.close();
    await start(port);
    await running;
    expect(starts).toBe(2);
    const found = [0, 1].map((index) =>
      fileOf(join(out, `${index}-of-2`), `predictions.${index}-of-2.jsonl`),
    );
    const lines = found.flatMap((text) => text.trim().split('\n'));
    const statuses = lines.map((line) => JSON.parse(line) as { id: string; status: string });
    expect(new Set(statuses.map(({ id }) => id)).size).toBe(rowCount);
    const ids = statuses.filter(({ status }) => status === 'truncated').map(({ id }) => id);
    expect(ids.toSorted()).toEqual(truncatedRows.toSorted());
    expect(statuses.filter(({ status }) => status === 'ok')).toHaveLength(rowCount - ids.length);
    for (const row of rows) {
      const prompt = promptHash(asked(row).messages);
      const paid = paidWhenStored.get(prompt);
      // What a client gave up may be paid whenever the server comes to it.
      if (paid === undefined || row.text.includes('hangs')) continue;
      expect(server.counters.byPrompt.get(prompt)?.paid).toBe(paid);
    }
    expect(paidWhenStored.size).toBeGreaterThanOrEqual(rowCount - ids.length);
  });

  it('give the bytes of an undisturbed run, from the answers of both processes', async () => {
    const calm = await startFakeServer({ script: { rules: answers } });
    const alone = createClient({ baseUrl: calm.url, alias: 'fake', model: 'm' });
    const { options, close } = settings('http://127.0.0.1:9/v1', 0, join(folder, 'whole'));
    const undisturbed = join(folder, 'undisturbed');
    await runRows({ ...options, client: alone, out: undisturbed });
    // Prompts that were cut have no answer in the cache, so they are asked again.
    const kept = rows.filter(({ id }) => !truncatedRows.includes(id));
    const paid = server.counters.paid;
    await runRows({ ...options, rows: kept });
    expect(server.counters.paid).toBe(paid);
    const whole = fileOf(join(folder, 'whole')).split('\n');
    const calmLines = fileOf(undisturbed)
      .split('\n')
      .filter((line) => !line.includes('"truncated"'));
    expect(whole.filter((line, index) => line !== calmLines[index])).toEqual([]);
    expect(whole).toHaveLength(calmLines.length);
    await alone.close();
    await close();
    await calm.close();
  });
});
