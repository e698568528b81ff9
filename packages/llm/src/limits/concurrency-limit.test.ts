import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../__fixtures__/fake-clock.js';
import { createConcurrencyLimit } from './concurrency-limit.js';

const succeed = (limit: ReturnType<typeof createConcurrencyLimit>, times: number): void => {
  for (let time = 0; time < times; time += 1) limit.onSuccess(true);
};

describe('createConcurrencyLimit', () => {
  it('grows by 5 % a clean round, to 100 at most', () => {
    const limit = createConcurrencyLimit({ clock: createFakeClock() });
    expect(limit.limit).toBe(20);
    succeed(limit, 19);
    expect(limit.limit).toBe(20);
    succeed(limit, 1);
    expect(limit.limit).toBe(21);
    for (let round = 0; round < 100; round += 1) succeed(limit, limit.limit);
    expect(limit.limit).toBe(100);
  });

  it('is cut by a fifth once in 15 s, to 1 at least', async () => {
    const clock = createFakeClock();
    const limit = createConcurrencyLimit({ clock });
    limit.onRateLimit(null);
    limit.onRateLimit(null);
    expect(limit.limit).toBe(16);
    await clock.advance(14_999);
    limit.onRateLimit(60_000);
    expect(limit.limit).toBe(16);
    await clock.advance(1);
    limit.onRateLimit(60_000);
    expect(limit.limit).toBe(12);
    await clock.advance(59_999);
    limit.onRateLimit(null);
    expect(limit.limit).toBe(12);
    for (let episode = 0; episode < 30; episode += 1) {
      await clock.advance(60_000);
      limit.onRateLimit(null);
    }
    expect(limit.limit).toBe(1);
  });

  it('does not grow in a round with trouble, nor by repeats', () => {
    const limit = createConcurrencyLimit({ clock: createFakeClock(), start: 8 });
    succeed(limit, 7);
    limit.onTrouble();
    succeed(limit, 7);
    for (let repeat = 0; repeat < 50; repeat += 1) limit.onSuccess(false);
    expect(limit.limit).toBe(8);
    succeed(limit, 1);
    expect(limit.limit).toBe(9);
  });

  it('stays where the user sets it', () => {
    const limit = createConcurrencyLimit({ clock: createFakeClock(), fixed: 64 });
    limit.onRateLimit(null);
    succeed(limit, 1000);
    expect(limit.limit).toBe(64);
    expect(limit.isFixed).toBe(true);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %d', (fixed) => {
    expect(() => createConcurrencyLimit({ clock: createFakeClock(), fixed })).toThrow(
      'whole number',
    );
  });
});
