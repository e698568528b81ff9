import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { afterSockets } from './after-sockets.js';

describe('afterSockets', () => {
  it('works in order, not in the turn it was told in, and a part at a time', async () => {
    const done: number[] = [];
    let turns = 0;
    const seen = new Set<number>();
    const work = Array.from({ length: 20 }, (_, at) => () => {
      done.push(at);
      seen.add(turns);
    });
    for (const one of work) afterSockets(one);
    await nextTurn();
    expect(done).toEqual([]);
    while (done.length < work.length) {
      await nextTurn();
      turns += 1;
    }
    expect(done).toEqual(work.map((_, at) => at));
    expect(seen.size).toBeGreaterThan(1);
  });

  it('takes work that work brings, after what waits', async () => {
    const done: string[] = [];
    const end = new Promise<void>((resolve) => {
      afterSockets(() => {
        done.push('a');
        afterSockets(() => {
          done.push('c');
          resolve();
        });
      });
      afterSockets(() => done.push('b'));
    });
    await end;
    expect(done).toEqual(['a', 'b', 'c']);
  });
});
