import { describe, expect, it } from 'vitest';
import type { ChatMessage } from './chat.js';
import { createRouter } from './routing.js';

interface Fake {
  readonly name: string;
  weight: number;
  inFlight: number;
}

const replicas = (weights: readonly number[]): Map<string, Fake> =>
  new Map(
    weights.map((weight, index) => [
      `http://r${index}`,
      { name: `r${index}`, weight, inFlight: 0 },
    ]),
  );
const ask = (content: string): ChatMessage[] => [{ role: 'user', content }];
const none: ReadonlySet<Fake> = new Set();

describe('createRouter', () => {
  it('sends prompts that begin alike to the same server', () => {
    const router = createRouter(replicas([1, 1, 1]));
    const document = 'x'.repeat(3000);
    const first = router.choose(ask(`${document} What?`), none);
    expect(router.choose(ask(`${document} When?`), none)).toBe(first);
    const chosen = new Set(
      Array.from({ length: 50 }, (_, index) => router.choose(ask(`${index} ${document}`), none)),
    );
    expect(chosen.size).toBe(3);
  });

  it('shares by weight', () => {
    const router = createRouter(replicas([3, 1]));
    const counts = { r0: 0, r1: 0 };
    for (let index = 0; index < 4000; index += 1) {
      counts[router.choose(ask(`question ${index}`), none).name as 'r0' | 'r1'] += 1;
    }
    expect(counts.r0 / 4000).toBeGreaterThan(0.72);
    expect(counts.r0 / 4000).toBeLessThan(0.78);
  });

  it('moves only what a lost server had', () => {
    const all = replicas([1, 1, 1]);
    const fewer = new Map([...all].slice(0, 2));
    const [before, after] = [createRouter(all), createRouter(fewer)];
    for (let index = 0; index < 200; index += 1) {
      const old = before.choose(ask(`question ${index}`), none);
      if (old.name !== 'r2') expect(after.choose(ask(`question ${index}`), none)).toBe(old);
    }
  });

  it('takes the next one after a failure, and any once all failed', () => {
    const all = replicas([1, 1]);
    const router = createRouter(all);
    const first = router.choose(ask('q'), none);
    const second = router.choose(ask('q'), new Set([first]));
    expect(second).not.toBe(first);
    expect(router.choose(ask('q'), new Set(all.values()))).toBe(first);
  });

  it('passes over a server that has far more to do', () => {
    const all = replicas([1, 1, 1]);
    const router = createRouter(all);
    const first = router.choose(null, none);
    const counts = new Map<Fake, number>();
    for (let call = 0; call < 90; call += 1) {
      const chosen = router.choose(null, none);
      chosen.inFlight += 1;
      counts.set(chosen, chosen.inFlight);
    }
    expect(Math.max(...counts.values())).toBe(first.inFlight);
    expect(first.inFlight).toBeLessThanOrEqual(38);
    expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(90);
  });

  it('refuses no server and weights that are none', () => {
    expect(() => createRouter(new Map())).toThrow('no base URL');
    expect(() => createRouter(replicas([1, 0]))).toThrow('not above 0');
  });
});
