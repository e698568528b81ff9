import { BudgetError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ChatRequest } from '../chat.js';
import { createScriptedClient } from '../scripted.js';
import { UnparsedAnswer } from '../structured/ask-for-json.js';
import { failure, smallClient } from './__fixtures__/small-client.js';
import { type Budget, BudgetGuard } from './budget.js';
import { RowCalls } from './row-calls.js';

const request: ChatRequest = { messages: [{ role: 'user', content: 'Is it?' }], maxTokens: 10 };
const schema = z.object({ verdict: z.enum(['yes', 'no']) });
const usage = { prompt: 7, completion: 3, cached: 0, reasoning: 0, isEstimated: false };

/** The calls of a row of a model that gives these answers one after the other. */
function rowOf(answers: readonly string[], limits: Budget = {}) {
  let asked = 0;
  const client = createScriptedClient({
    answer: () => {
      const text = answers[asked] ?? '';
      asked += 1;
      return { text, usage, costUsd: 1 };
    },
  });
  const budget = new BudgetGuard(limits);
  const calls = new RowCalls({ budget, costOf: undefined, signal: new AbortController().signal });
  return { calls, budget, client, row: calls.watch(client), asked: () => asked };
}

describe('RowCalls', () => {
  it('counts every call that an answer in JSON takes, and names it once', async () => {
    const { calls, client, row } = rowOf(['no JSON', '{"verdict":"yes"}']);
    const { json, origin } = await row.json(request, schema);
    expect([json.verdict, origin]).toEqual(['yes', 'repaired-by-call']);
    expect(calls).toMatchObject({ attempts: 2, costUsd: 2, hashes: [client.hashOf(request)] });
    expect(calls.usage).toMatchObject({ prompt: 14, completion: 6 });
  });

  it('counts what an answer took that never fits', async () => {
    const { calls, row, budget } = rowOf(['no', 'neither'], { maxCalls: 5 });
    await expect(row.json(request, schema)).rejects.toBeInstanceOf(UnparsedAnswer);
    expect(calls).toMatchObject({ attempts: 2, costUsd: 2 });
    expect(calls.usage).toMatchObject({ prompt: 14, completion: 6 });
    expect(budget.spent).toEqual({ calls: 2, tokens: 20, usd: 0 });
  });

  it('keeps each call of an answer in JSON within the budget', async () => {
    const { row, asked } = rowOf(['no', '{"verdict":"yes"}'], { maxCalls: 1 });
    await expect(row.json(request, schema)).rejects.toThrow(BudgetError);
    expect(asked()).toBe(1);
    const whole = rowOf(['{"verdict":"yes"}'], { maxCalls: 1 });
    expect((await whole.row.json(request, schema)).json.verdict).toBe('yes');
  });

  it('counts the answers of clients that tell nothing of their calls', async () => {
    const { client, budget } = rowOf([], { maxCalls: 5 });
    const silent = { ...client, json: (one: ChatRequest, its: z.ZodType) => client.json(one, its) };
    const calls = new RowCalls({ budget, costOf: undefined, signal: new AbortController().signal });
    const row = calls.watch(silent as typeof client);
    await expect(row.json(request, schema)).rejects.toBeInstanceOf(UnparsedAnswer);
    expect(calls).toMatchObject({ attempts: 2, costUsd: 2 });
    expect(budget.spent.calls).toBe(2);
  });

  it('names calls in the order in which they began, however they end', async () => {
    const waits: (() => void)[] = [];
    const { client } = smallClient(
      (prompt) =>
        new Promise((resolve, reject) => {
          waits.push(() => (prompt === 'b' ? reject(failure('server')) : resolve(prompt)));
        }),
    );
    const budget = new BudgetGuard({});
    const calls = new RowCalls({ budget, costOf: undefined, signal: new AbortController().signal });
    const row = calls.watch(client);
    const ask = (content: string): ChatRequest => ({ messages: [{ role: 'user', content }] });
    const asked = ['a', 'b', 'c'].map((content) => row.chat(ask(content)).catch(() => null));
    for (const wait of waits.toReversed()) wait();
    await Promise.all(asked);
    expect(calls.hashes).toEqual(['a', 'b', 'c'].map((content) => client.hashOf(ask(content))));
  });

  it('counts a call once, however often it had to be sent', async () => {
    const { client } = smallClient(() => {
      throw failure('server', 6);
    });
    const budget = new BudgetGuard({ maxCalls: 2 });
    const calls = new RowCalls({ budget, costOf: undefined, signal: new AbortController().signal });
    await expect(calls.watch(client).chat(request)).rejects.toMatchObject({ kind: 'server' });
    expect([calls.attempts, budget.spent.calls]).toEqual([6, 1]);
  });
});
