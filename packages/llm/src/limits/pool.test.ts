import { describe, expect, it } from 'vitest';
import { createFakeClock, settle } from '../__fixtures__/fake-clock.js';
import { LlmFailure } from '../llm-failure.js';
import { createPool, type PlaceOutcome, type PlaceRequest, type Pool } from './pool.js';

const place = (more: Partial<PlaceRequest> = {}): PlaceRequest => ({
  ...{ name: '', tokens: 10, isRepeat: false },
  ...more,
});
const success: PlaceOutcome = { kind: 'success', isClean: true, tokens: 10 };

/** Enters and notes the name once there is a place. */
function enter(pool: Pool, entered: string[], request: PlaceRequest & { id?: string }): void {
  const name = request.id ?? request.name;
  const waiting = pool.enter(request);
  if (waiting === undefined) entered.push(name);
  else
    waiting.then(
      () => entered.push(name),
      (error: unknown) => entered.push(error instanceof LlmFailure ? error.kind : String(error)),
    );
}

describe('createPool', () => {
  it('has places for so many and no more', async () => {
    const pool = createPool({ clock: createFakeClock(), concurrency: { fixed: 2 } });
    const entered: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) enter(pool, entered, place({ name }));
    expect(entered).toEqual(['a', 'b']);
    expect([pool.inFlight, pool.waiting, pool.concurrency]).toEqual([2, 2, 2]);
    pool.leave(place(), success);
    await settle();
    expect(entered).toEqual(['a', 'b', 'c']);
    pool.leave(place(), success);
    await settle();
    expect(entered).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives a place back before it is known how its request ended', async () => {
    const pool = createPool({ clock: createFakeClock(), concurrency: { start: 1, max: 9 } });
    const entered: string[] = [];
    const first = place({ name: 'a' });
    enter(pool, entered, first);
    enter(pool, entered, place({ name: 'b' }));
    pool.vacate(first);
    await settle();
    expect([entered, pool.inFlight, pool.concurrency]).toEqual([['a', 'b'], 1, 1]);
    pool.leave(first, success);
    expect([pool.inFlight, pool.concurrency]).toEqual([1, 2]);
    pool.leave(place(), success);
    expect(pool.inFlight).toBe(0);
  });

  it('lets repeats in before others', async () => {
    const pool = createPool({ clock: createFakeClock(), concurrency: { fixed: 1 } });
    const entered: string[] = [];
    enter(pool, entered, place({ name: 'a' }));
    enter(pool, entered, place({ name: 'b' }));
    enter(pool, entered, place({ name: 'c', isRepeat: true }));
    pool.leave(place(), success);
    await settle();
    expect(entered).toEqual(['a', 'c']);
  });

  it('stops all for as long as one answer asks', async () => {
    const clock = createFakeClock();
    const pool = createPool({ clock });
    const entered: string[] = [];
    enter(pool, entered, place({ name: 'a' }));
    pool.leave(place(), { kind: 'rate-limit', retryAfterMs: 30_000 });
    enter(pool, entered, place({ name: 'b' }));
    enter(pool, entered, place({ name: 'c' }));
    await clock.advance(29_999);
    expect(entered).toEqual(['a']);
    await clock.advance(1);
    expect(entered).toEqual(['a', 'b', 'c']);
    expect(pool.concurrency).toBe(16);
  });

  it('stops nobody else where a rate limit names no time', () => {
    const pool = createPool({ clock: createFakeClock() });
    const entered: string[] = [];
    enter(pool, entered, place());
    pool.leave(place(), { kind: 'rate-limit', retryAfterMs: null });
    enter(pool, entered, place({ name: 'b' }));
    expect(entered).toEqual(['', 'b']);
  });

  it('keeps to requests and tokens a minute', async () => {
    const clock = createFakeClock();
    const pool = createPool({ clock, requestsPerMinute: 60, tokensPerMinute: 6000 });
    const entered: string[] = [];
    enter(pool, entered, place({ name: 'a', tokens: 600 }));
    enter(pool, entered, place({ name: 'b', tokens: 600 }));
    await clock.advance(5999);
    expect(entered).toEqual(['a']);
    await clock.advance(1);
    expect(entered).toEqual(['a', 'b']);
    // What was reserved and not used flows back.
    pool.leave(place({ tokens: 600 }), { kind: 'success', isClean: true, tokens: 0 });
    enter(pool, entered, place({ name: 'c', tokens: 100 }));
    await clock.advance(1000);
    expect(entered).toEqual(['a', 'b', 'c']);
  });

  it('takes limits from headers, unless the user gave some', async () => {
    const clock = createFakeClock();
    const hinted = createPool({ clock });
    const given = createPool({ clock, requestsPerMinute: 6000 });
    const entered: string[] = [];
    for (const pool of [hinted, given]) pool.onHints({ requests: 60, tokens: null });
    for (const name of ['a', 'b']) enter(hinted, entered, place({ name }));
    for (const name of ['x', 'y']) enter(given, entered, place({ name }));
    expect(entered).toEqual(['a', 'x', 'y']);
    hinted.onHints({ requests: 120, tokens: 0 });
    await clock.advance(1000);
    expect(entered).toContain('b');
  });

  it('pauses after 20 failures in a row, and ends at the third time', async () => {
    const clock = createFakeClock();
    const pauses: number[] = [];
    const pool = createPool({
      ...{ clock, concurrency: { fixed: 100 } },
      onBreak: (waitMs) => pauses.push(waitMs),
    });
    for (let pause = 0; pause < 3; pause += 1) {
      for (let call = 0; call < 20; call += 1) expect(pool.enter(place())).toBeUndefined();
      const entered: string[] = [];
      for (let call = 0; call < 20; call += 1) pool.leave(place(), { kind: 'trouble' });
      if (pause === 2) break;
      enter(pool, entered, place({ name: 'later' }));
      expect(entered).toEqual([]);
      await clock.advance(60_000);
      expect(entered).toEqual(['later']);
      pool.leave(place(), { kind: 'neutral' });
    }
    expect(pauses).toEqual([60_000, 60_000]);
    expect(() => pool.enter(place())).toThrow(LlmFailure);
    try {
      void pool.enter(place());
    } catch (error) {
      expect(error).toMatchObject({ kind: 'server', endsRun: true, isRetryable: true });
    }
  });

  it('sends those away that wait when all ends', async () => {
    const clock = createFakeClock();
    const pool = createPool({
      ...{ clock, concurrency: { fixed: 1 }, breaker: { failures: 1, pauses: 1 } },
    });
    const entered: string[] = [];
    enter(pool, entered, place({ name: 'a' }));
    enter(pool, entered, place({ name: 'b' }));
    pool.leave(place(), { kind: 'trouble' });
    await settle();
    expect(entered).toEqual(['a', 'server']);
  });

  it('lets those go that give up', async () => {
    const pool = createPool({ clock: createFakeClock(), concurrency: { fixed: 1 } });
    const entered: string[] = [];
    const controller = new AbortController();
    enter(pool, entered, place({ name: 'a' }));
    enter(pool, entered, place({ name: 'b', signal: controller.signal }));
    enter(pool, entered, place({ name: 'c' }));
    controller.abort(new Error('enough'));
    await settle();
    expect(entered).toEqual(['a', 'aborted']);
    expect(pool.waiting).toBe(1);
    pool.leave(place(), success);
    await settle();
    expect(entered).toEqual(['a', 'aborted', 'c']);
    enter(pool, entered, place({ name: 'd', signal: controller.signal }));
    await settle();
    expect(entered.at(-1)).toBe('aborted');
  });

  it('says when there is room for more to wait', async () => {
    const pool = createPool({ clock: createFakeClock(), concurrency: { fixed: 1 } });
    const entered: string[] = [];
    for (const name of ['a', 'b', 'c']) enter(pool, entered, place({ name }));
    let hasRoom = false;
    void pool.whenFewerWait(2).then(() => {
      hasRoom = true;
    });
    await settle();
    expect(hasRoom).toBe(false);
    pool.leave(place(), success);
    await settle();
    expect(hasRoom).toBe(true);
    await pool.whenFewerWait(2);
  });
});
