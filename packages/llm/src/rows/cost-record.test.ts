import { describe, expect, it } from 'vitest';
import type { Paid } from '../chat.js';
import { nothingPaid, sumOfPaid } from '../token-usage.js';
import { type CostRecord, costRecord, CostSums } from './cost-record.js';

const paid = (prompt: number, completion: number, isEstimated: boolean): Paid => ({
  usage: { prompt, completion, cached: 0, reasoning: 0, isEstimated },
  costUsd: (prompt + 2 * completion) / 10,
});
const tokens = (prompt: number, completion: number) => ({
  ...{ prompt, completion, cached: 0, reasoning: 0 },
});

/** The line of calls. */
const lineOf = (...calls: readonly Paid[]): CostRecord => {
  const ours = calls.filter(({ usage }) => usage.isEstimated);
  const sum = (list: readonly Paid[]) => list.reduce(sumOfPaid, nothingPaid);
  return costRecord({ ...sum(calls), estimated: ours.length === 0 ? null : sum(ours) });
};

describe('costRecord', () => {
  it('says nothing of estimates where servers counted', () => {
    expect(lineOf(paid(1, 2, false))).toEqual({ usage: tokens(1, 2), costUsd: 0.5 });
    expect(lineOf()).toEqual({ usage: tokens(0, 0), costUsd: 0 });
  });

  it('marks an estimate, and tells its share where the rest was counted', () => {
    const usage = { ...tokens(3, 4), isEstimated: true };
    expect(lineOf(paid(3, 4, true))).toEqual({ usage, costUsd: 1.1 });
    expect(lineOf(paid(1, 2, false), paid(3, 4, true))).toEqual({
      usage: { ...tokens(4, 6), isEstimated: true },
      costUsd: 1.6,
      estimated: { prompt: 3, completion: 4, costUsd: 1.1 },
    });
  });
});

describe('CostSums', () => {
  it('keeps apart what a line holds together', () => {
    const sums = new CostSums();
    sums.add(lineOf(paid(1, 2, false), paid(3, 4, true)));
    sums.add(lineOf(paid(10, 20, false)));
    sums.addWasted({ lost: [lineOf(paid(5, 0, true)), lineOf(paid(7, 0, false))] });
    sums.addWasted({ unknown: { requests: 2, promptTokens: 30, costUsd: 3 } });
    sums.addWasted({ unknown: { requests: 1, promptTokens: 10, costUsd: null } });
    const cost = sums.cost();
    expect(cost).toMatchObject({
      ...{ promptTokens: 18, completionTokens: 22 },
      estimated: { promptTokens: 8, completionTokens: 4 },
      unknown: { requests: 3, promptTokens: 40, costUsd: null },
    });
    expect(cost.costUsd).toBeCloseTo(6.2, 12);
    expect(cost.estimated.costUsd).toBeCloseTo(1.6, 12);
    expect(sums.spent.tokens).toBe(92);
    expect(sums.spent.usd).toBeCloseTo(7.8, 12);
  });

  it('knows no cost where a price is missing, each part for itself', () => {
    const sums = new CostSums();
    sums.add(lineOf(paid(1, 0, false)));
    sums.add({ ...lineOf(paid(1, 0, true)), costUsd: null });
    expect(sums.cost()).toMatchObject({ costUsd: 0.1, estimated: { costUsd: null } });
    sums.add({ ...lineOf(paid(1, 0, false), paid(1, 0, true)), costUsd: null });
    expect(sums.cost()).toMatchObject({ promptTokens: 2, costUsd: null });
    expect(new CostSums().cost()).toMatchObject({
      ...{ promptTokens: 0, costUsd: null },
      unknown: { requests: 0, promptTokens: 0, costUsd: null },
    });
  });
});
