import { describe, expect, it } from 'vitest';
import { sha256 } from '@lab/core';
import { planRows } from './plan.js';
import { RowLedger } from './rows/row-ledger.js';

type Row = { readonly id: string };

async function* rows(count: number) {
  for (let i = 0; i < count; i += 1) yield { id: `r${i}` };
}

const requestOf = ({ id }: Row) => ({
  messages: [{ role: 'user' as const, content: `What is the number of ${id}?` }],
  maxTokens: 50,
});

describe('planRows', () => {
  it('counts calls, cache hits, finished rows, tokens and money', async () => {
    const finished = new RowLedger();
    for (const id of ['r0', 'r1']) finished.load(id, null);
    const hits = new Set(['r5', 'r6', 'r7'].map(sha256));
    const plan = await planRows({
      rows: rows(1000),
      requestOf,
      cacheHashOf: ({ id }) => sha256(id),
      cache: { has: (hash) => hits.has(hash) },
      finished,
      costOf: ({ prompt, completion }) => (prompt + 2 * completion) / 1e6,
      concurrency: 10,
    });
    expect(plan).toMatchObject({ rows: 1000, finished: 2, cacheHits: 3, calls: 995 });
    expect(plan.completionTokens).toEqual({ low: 995, high: 995 * 50 });
    // Seven words, the row's number, and what the form of a chat adds.
    expect(plan.promptTokens / 995).toBeGreaterThan(12);
    expect(plan.promptTokens / 995).toBeLessThan(22);
    expect(plan.costUsd?.high).toBeCloseTo((plan.promptTokens + 2 * 995 * 50) / 1e6);
    expect(plan.seconds.low).toBeCloseTo(995 / 10 / 2);
    expect(plan.seconds.high).toBeGreaterThan(plan.seconds.low);
  });

  it('knows no cost without prices, takes one shard, and finds doubled ids', async () => {
    const base = { requestOf, concurrency: 4 };
    const plan = await planRows({ rows: rows(300), ...base, shard: { index: 0, count: 3 } });
    expect(plan.costUsd).toBeNull();
    expect(plan.rows).toBeGreaterThan(60);
    expect(plan.rows).toBeLessThan(140);
    async function* doubled() {
      yield* rows(3);
      yield { id: 'r1' };
    }
    await expect(planRows({ rows: doubled(), ...base })).rejects.toThrow('"r1" stands twice');
    expect(await planRows({ rows: rows(0), ...base })).toMatchObject({ calls: 0, promptTokens: 0 });
  });
});
