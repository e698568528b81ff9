import { BudgetError, InterruptedError, readRunRecord } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { failure, smallClient } from './__fixtures__/small-client.js';
import { late, lines, settings, text } from './__fixtures__/small-run.js';
import { runRows } from './run-rows.js';

describe('runRows that ends early', () => {
  it('interrupted once, finishes what is in flight; resumed, has the same bytes', async () => {
    const whole = settings(smallClient().client);
    await runRows(whole);
    const stop = new AbortController();
    const { client, seen } = smallClient((prompt) => {
      if (seen.length === 20) stop.abort();
      return late(prompt);
    });
    const options = settings(client, { signal: stop.signal });
    await expect(runRows(options)).rejects.toThrow(InterruptedError);
    expect(lines(options.out).length).toBe(seen.length);
    expect(readRunRecord(options.out).status).toBe('interrupted');
    const { signal: _, ...again } = options;
    await runRows({ ...again, resume: true });
    expect(seen).toHaveLength(50);
    expect(text(options.out)).toBe(text(whole.out));
  });

  it('interrupted, gives rows in flight their grace and no more', async () => {
    const stop = new AbortController();
    const slept: number[] = [];
    const clock = {
      now: () => 0,
      date: () => 0,
      sleep: async (milliseconds: number) => {
        slept.push(milliseconds);
      },
    };
    const { client } = smallClient((_prompt, { signal }) => {
      stop.abort();
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(failure('aborted')));
      });
    });
    const options = settings(client, { signal: stop.signal, clock });
    await expect(runRows(options)).rejects.toThrow(InterruptedError);
    expect(slept).toContain(30_000);
    expect(text(options.out)).toBe('');
    expect(text(options.out, 'failures.jsonl')).toBe('');
  });

  it('stays within budgets, counts what earlier parts spent, and goes on', async () => {
    const whole = settings(smallClient().client);
    await runRows(whole);
    const costOf = () => 0.001;
    for (const budget of [{ maxCalls: 20 }, { maxTotalTokens: 300 }, { budgetUsd: 0.02 }]) {
      const { client, seen } = smallClient(late);
      const options = settings(client, { budget, costOf });
      await expect(runRows(options)).rejects.toThrow(BudgetError);
      expect(seen.length, JSON.stringify(budget)).toBeLessThanOrEqual(20);
      expect(seen.length, JSON.stringify(budget)).toBeGreaterThan(15);
      expect(lines(options.out)).toHaveLength(seen.length);
      await expect(runRows({ ...options, resume: true })).rejects.toThrow(BudgetError);
      await runRows({ ...options, resume: true, budget: {} });
      expect(seen).toHaveLength(50);
      expect(text(options.out)).toBe(text(whole.out));
    }
  });

  it('does not care what time it is', async () => {
    const whole = settings(smallClient().client);
    await runRows(whole);
    // An hour back in the middle of the run, and an hour ahead in the process that goes on.
    let date = Date.parse('2026-10-25T02:30:00Z');
    let now = 0;
    const clock = {
      now: () => (now += 1),
      date: () => date,
      sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
    };
    const stop = new AbortController();
    const { client, seen } = smallClient((prompt) => {
      if (seen.length === 10) date -= 3_600_000;
      if (seen.length === 20) stop.abort();
      return late(prompt);
    });
    const options = settings(client, { clock, signal: stop.signal, graceMs: 1e9 });
    await expect(runRows(options)).rejects.toThrow(InterruptedError);
    date += 7_200_000;
    const { signal: _, ...again } = options;
    await runRows({ ...again, resume: true });
    expect(seen).toHaveLength(50);
    expect(text(options.out)).toBe(text(whole.out));
  });
});
