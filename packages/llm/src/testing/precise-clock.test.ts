import { describe, expect, it } from 'vitest';
import { CallSignal } from '../call-signal.js';
import { preciseClock } from './precise-clock.js';

/** Milliseconds that waits of such lengths took, begun together. */
async function taken(lengths: readonly number[]): Promise<number[]> {
  return Promise.all(
    lengths.map(async (milliseconds) => {
      const start = performance.now();
      await preciseClock.sleep(milliseconds);
      return performance.now() - start;
    }),
  );
}

describe('preciseClock', () => {
  it('ends no wait before its time, and ends them by their lengths', async () => {
    const lengths = [12, 3, 0, 7.5, 3, 12.25];
    const order: number[] = [];
    await Promise.all(
      lengths.map(async (milliseconds) => {
        const start = performance.now();
        await preciseClock.sleep(milliseconds);
        expect(performance.now() - start).toBeGreaterThanOrEqual(milliseconds);
        order.push(milliseconds);
      }),
    );
    expect(order).toEqual([0, 3, 3, 7.5, 12, 12.25]);
  });

  it('is nearer to what was asked for than timers of Node are', async () => {
    // The best of several, as other programs may take the processor away.
    const late: number[] = [];
    for (let i = 0; i < 8; i += 1) late.push((await taken([10]))[0]! - 10);
    expect(Math.min(...late)).toBeLessThan(0.3);
  });

  it('gives up at once with the reason of its signal, and lets the others end', async () => {
    const signal = new CallSignal();
    const start = performance.now();
    const left = preciseClock.sleep(10_000, signal);
    const stays = preciseClock.sleep(5);
    signal.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    await expect(preciseClock.sleep(1, signal)).rejects.toThrow('enough');
    await stays;
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
