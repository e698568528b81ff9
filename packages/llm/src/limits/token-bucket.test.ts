import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../__fixtures__/fake-clock.js';
import { createTokenBucket } from './token-bucket.js';

describe('createTokenBucket', () => {
  it('lets 60 a minute through, one each second', async () => {
    const clock = createFakeClock();
    const bucket = createTokenBucket(60, clock);
    expect(bucket.waitFor(1)).toBe(0);
    bucket.take(1);
    expect(bucket.waitFor(1)).toBe(1000);
    await clock.advance(400);
    expect(bucket.waitFor(1)).toBe(600);
    await clock.advance(600);
    expect(bucket.waitFor(1)).toBe(0);
    await clock.advance(60_000);
    bucket.take(1);
    expect(bucket.waitFor(1)).toBe(1000);
  });

  it('never lets more than the limit and one request through in a minute', async () => {
    const clock = createFakeClock();
    const bucket = createTokenBucket(1000, clock);
    let taken = 0;
    while (clock.now() < 60_000) {
      const wait = bucket.waitFor(170);
      if (wait > 0) await clock.advance(Math.min(wait, 60_000 - clock.now()));
      else {
        bucket.take(170);
        taken += 170;
      }
    }
    expect(taken).toBeGreaterThan(1000 - 170);
    expect(taken).toBeLessThanOrEqual(1170);
  });

  it('takes what is larger than itself when full, and is in debt then', () => {
    const bucket = createTokenBucket(6000, createFakeClock());
    expect(bucket.waitFor(5000)).toBe(0);
    bucket.take(5000);
    expect(bucket.waitFor(100)).toBe(50_000);
    expect(bucket.waitFor(9000)).toBe(50_000);
  });

  it('settles estimates', () => {
    const bucket = createTokenBucket(6000, createFakeClock());
    bucket.take(1100);
    bucket.settle(1100, 150);
    expect(bucket.waitFor(100)).toBe(1500);
    bucket.settle(0, 100);
    expect(bucket.waitFor(100)).toBe(2500);
  });

  it('takes a new rate', () => {
    const bucket = createTokenBucket(6000, createFakeClock());
    bucket.setRate(60);
    bucket.take(1);
    expect(bucket.waitFor(1)).toBe(1000);
  });
});
