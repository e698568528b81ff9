import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeServer, startFakeServer } from '../../src/testing.js';
import { idsOf, killAfterGrowth, llm, writeRows } from './llm-process.js';

const rowCount = 1500;
const concurrency = 16;
/** Rows in flight: some more than requests. */
const inFlight = concurrency + Math.ceil(concurrency / 4);
const kills = 10;

let server: FakeServer;
let other: FakeServer;
const rows = writeRows(rowCount);

const run = (out: string, url: string, ...more: string[]) => [
  ...['run', '--data', rows.data, '--prompt', rows.prompt, '--base-url', url, '--alias', 'fake'],
  ...['--model', 'fake', '--concurrency', String(concurrency), '--out', out, '--quiet', ...more],
];

beforeAll(async () => {
  [server, other] = await Promise.all([
    startFakeServer({ latencyMs: 20 }),
    startFakeServer({ latencyMs: 0 }),
  ]);
});

afterAll(async () => {
  await Promise.all([server.close(), other.close()]);
});

const promptsOf = (received: FakeServer) =>
  received.requests().map(({ body }) => {
    const messages = body['messages'] as { content: string }[];
    return /question \d+/.exec(messages[0]?.content ?? '')?.[0].replace('question', 'row');
  });

describe('kill -9 at ten random moments', () => {
  it('and resuming: the bytes of an undisturbed run; what counted is not asked again', async () => {
    const undisturbed = join(temporaryFolder(), 'run');
    const plain = await llm(run(undisturbed, other.url, '--cache', 'off'));
    expect(plain.code, plain.stderr).toBe(0);
    const out = join(temporaryFolder(), 'run');
    const path = join(out, 'predictions.jsonl');
    const random = createRandom(2024);
    let killed = 0;
    for (let i = 0; i < kills; i += 1) {
      const finished = new Set(idsOf(path));
      const asked = server.requests().length;
      const laterMs = random.uniform() * 60;
      const args = run(out, server.url, '--cache', 'off', '--resume');
      if (await killAfterGrowth(args, { path, laterMs })) killed += 1;
      const again = promptsOf(server).slice(asked);
      expect(again.filter((id) => id !== undefined && finished.has(id))).toEqual([]);
    }
    expect(killed).toBe(kills);
    const last = await llm(run(out, server.url, '--cache', 'off', '--resume'));
    expect(last.code, last.stderr).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(
      readFileSync(join(undisturbed, 'predictions.jsonl'), 'utf8'),
    );
    expect(readRunRecord(out)).toMatchObject({
      status: 'success',
      results: { finished: rowCount, failed: 0 },
    });
    const { byPrompt, surplusPaid } = server.counters;
    expect(byPrompt.size).toBe(rowCount);
    // Only answers that were under way, or waited some 20 ms for their flush, are paid again.
    expect(surplusPaid).toBeLessThanOrEqual(kills * 5 * inFlight);
  });
});
