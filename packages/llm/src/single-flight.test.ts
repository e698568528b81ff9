import { describe, expect, it } from 'vitest';
import { settle } from './__fixtures__/fake-clock.js';
import type { EndSignal } from './call-signal.js';
import { createSingleFlight } from './single-flight.js';

function setUp() {
  const flights = createSingleFlight<string>();
  const runs: { signal: EndSignal | undefined; end: (text: string) => void }[] = [];
  const fails: ((error: Error) => void)[] = [];
  const share = (signal?: AbortSignal) =>
    flights.share('name', {
      signal,
      onJoin: (text) => `${text} too`,
      run: (own) =>
        new Promise((resolve, reject) => {
          runs.push({ signal: own, end: resolve });
          fails.push(reject);
        }),
    });
  return { share, runs, fails };
}

describe('createSingleFlight', () => {
  it('makes one call of equal ones, and a new one after it', async () => {
    const { share, runs } = setUp();
    const calls = [share(), share(), share(new AbortController().signal)];
    expect(runs).toHaveLength(1);
    runs[0]!.end('done');
    expect(await Promise.all(calls)).toEqual(['done', 'done too', 'done too']);
    void share();
    expect(runs).toHaveLength(2);
  });

  it('fails all, and forgets the failure', async () => {
    const { share, runs, fails } = setUp();
    const calls = [share(), share(new AbortController().signal)];
    fails[0]!(new Error('broken'));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    void share();
    expect(runs).toHaveLength(2);
  });

  it('goes on while one still waits, and ends when none does', async () => {
    const { share, runs } = setUp();
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [share(first.signal), share(second.signal)];
    const outcomes = Promise.allSettled(calls);
    first.abort();
    await settle();
    expect(runs[0]!.signal?.aborted).toBe(false);
    second.abort();
    expect(runs[0]!.signal?.aborted).toBe(true);
    expect((await outcomes).map((one) => one.status)).toEqual(['rejected', 'rejected']);
    const next = share();
    expect(runs).toHaveLength(2);
    runs[1]!.end('anew');
    expect(await next).toBe('anew');
  });

  it('goes on for those that cannot give up', async () => {
    const { share, runs } = setUp();
    const controller = new AbortController();
    const [first, second] = [share(), share(controller.signal)];
    controller.abort();
    await expect(second).rejects.toMatchObject({ kind: 'aborted' });
    runs[0]!.end('done');
    expect(await first).toBe('done');
  });

  it('takes no one aboard who has given up before', async () => {
    const { share } = setUp();
    await expect(share(AbortSignal.abort())).rejects.toMatchObject({ kind: 'aborted' });
  });
});
