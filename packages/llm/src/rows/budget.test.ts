import { BudgetError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { BudgetGuard } from './budget.js';

const call = (tokens = 0, usd = 0) => ({ calls: 1, tokens, usd });

describe('BudgetGuard', () => {
  it('lets all through without a limit', async () => {
    const guard = new BudgetGuard({});
    expect(guard.isLimited).toBe(false);
    await guard.reserve(call(1e9, 1e9));
  });

  it('waits for requests in flight, which may cost less than they reserve', async () => {
    const guard = new BudgetGuard({ maxTotalTokens: 100 });
    await guard.reserve(call(60));
    const order: string[] = [];
    const second = guard.reserve(call(60)).then(() => order.push('second'));
    await Promise.resolve();
    order.push('settled');
    guard.settle(call(60), call(10));
    await second;
    expect(order).toEqual(['settled', 'second']);
    guard.settle(call(60), call(50));
    expect(guard.spent).toEqual({ calls: 2, tokens: 60, usd: 0 });
    await expect(guard.reserve(call(41))).rejects.toThrow(BudgetError);
  });

  it('ends all that wait when nothing in flight can make room', async () => {
    const guard = new BudgetGuard({ maxCalls: 2 }, { calls: 1, tokens: 0, usd: 0 });
    await guard.reserve(call());
    const waiting = [guard.reserve(call()), guard.reserve(call())];
    guard.settle(call(), call());
    for (const one of waiting) await expect(one).rejects.toThrow('2 of 2 calls spent');
  });

  it('gives back what a failed request did not cost', async () => {
    const guard = new BudgetGuard({ budgetUsd: 0.3 });
    await guard.reserve(call(0, 0.3));
    guard.settle(call(0, 0.3), { calls: 0, tokens: 0, usd: 0 });
    // Three times a tenth is a little more than three tenths in floating point.
    for (let i = 0; i < 3; i += 1) {
      await guard.reserve(call(0, 0.1));
      guard.settle(call(0, 0.1), call(0, 0.1));
    }
    await expect(guard.reserve(call(0, 0.1))).rejects.toThrow('0.3000 of 0.3 USD');
  });
});
