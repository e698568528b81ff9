import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../__fixtures__/fake-clock.js';
import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.js';

const fail = (breaker: CircuitBreaker, times: number): boolean[] =>
  Array.from({ length: times }, () => breaker.onFailure());

describe('createCircuitBreaker', () => {
  it('pauses 60 s after 20 failures in a row', async () => {
    const clock = createFakeClock();
    const breaker = createCircuitBreaker({ clock });
    fail(breaker, 19);
    breaker.onSuccess();
    expect(fail(breaker, 19)).not.toContain(true);
    expect(breaker.state.state).toBe('closed');
    expect(breaker.onFailure()).toBe(true);
    expect(breaker.state).toEqual({ state: 'paused', untilMs: 60_000 });
    expect(fail(breaker, 50)).not.toContain(true);
    await clock.advance(60_000);
    expect(breaker.state.state).toBe('closed');
  });

  it('ends all at the third pause without a success', async () => {
    const clock = createFakeClock();
    const breaker = createCircuitBreaker({ clock });
    for (let pause = 0; pause < 2; pause += 1) {
      fail(breaker, 20);
      await clock.advance(60_000);
    }
    expect(breaker.state.state).toBe('closed');
    fail(breaker, 20);
    expect(breaker.state.state).toBe('ended');
    breaker.onSuccess();
    expect(breaker.state.state).toBe('ended');
  });

  it('forgets pauses after a success', async () => {
    const clock = createFakeClock();
    const breaker = createCircuitBreaker({ clock });
    for (let pause = 0; pause < 5; pause += 1) {
      fail(breaker, 20);
      await clock.advance(60_000);
      breaker.onSuccess();
    }
    expect(breaker.state.state).toBe('closed');
  });
});
