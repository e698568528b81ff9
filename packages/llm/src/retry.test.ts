import { createRandom, type Random } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from './__fixtures__/fake-clock.js';
import type { CallProblem, ProblemClass } from './call-problem.js';
import { LlmFailure } from './llm-failure.js';
import {
  type Attempt,
  createHistory,
  decideRetry,
  defaultRetryLimits,
  retryLimits,
  withRetries,
} from './retry.js';

const problem = (row: ProblemClass, more: Partial<CallProblem> = {}): CallProblem => ({
  ...{ class: row, kind: 'server', message: 'it failed', retryAfterMs: null },
  ...more,
});

/** A generator whose draws are all the same. */
const always = (draw: number): Random => ({ ...createRandom(1), uniform: () => draw });

interface Outcome {
  readonly attempts: number;
  readonly waits: readonly number[];
  readonly failure: LlmFailure | null;
}

/** Sends until it succeeds or fails; the outcomes come in order, the last one for ever. */
async function play(
  outcomes: readonly (CallProblem | 'fine')[],
  options: { draw?: number; limits?: object; adapt?: () => boolean } = {},
): Promise<Outcome> {
  const clock = createFakeClock(true);
  let sent = 0;
  const send = async (): Promise<Attempt<string>> => {
    const outcome = outcomes[Math.min(sent, outcomes.length - 1)]!;
    sent += 1;
    return outcome === 'fine' ? { value: 'answer' } : { problem: outcome };
  };
  const { draw = 1, limits, adapt } = options;
  try {
    const { attempts } = await withRetries(send, {
      ...{ clock, random: always(draw), limits: retryLimits(limits), adapt },
    });
    return { attempts, waits: clock.waits, failure: null };
  } catch (error) {
    if (!(error instanceof LlmFailure)) throw error;
    return { attempts: sent, waits: clock.waits, failure: error };
  }
}

describe('withRetries', () => {
  it('waits up to 1, 2, 4, 8 and 16 s for what passes, in six requests', async () => {
    const { attempts, waits, failure } = await play([problem('transient')]);
    expect(attempts).toBe(6);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(failure).toMatchObject({ kind: 'server', isRetryable: true, attempts: 6 });
    expect(failure?.message).toBe('llm/client: it failed (6 requests).');
  });

  it('draws each wait between nothing and its bound, and caps it at a minute', async () => {
    const { waits } = await play([problem('transient')], {
      draw: 0.25,
      limits: { maxAttempts: 9 },
    });
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    expect((await play([problem('transient')], { draw: 0 })).waits).toEqual([]);
  });

  it('sends twice what runs out of time', async () => {
    const { attempts, waits } = await play([problem('timeout', { kind: 'timeout' })]);
    expect(attempts).toBe(2);
    expect(waits).toEqual([1000]);
  });

  it('sends twice what brings nothing, a second apart', async () => {
    const { attempts, waits } = await play([problem('empty')]);
    expect(attempts).toBe(2);
    expect(waits).toEqual([1000]);
    expect((await play([problem('empty'), 'fine'])).failure).toBeNull();
  });

  it('waits as long as the server asks, at most ten minutes, and counts no attempt', async () => {
    const limited = (retryAfterMs: number | null) =>
      problem('rate-limit', { kind: 'rate-limit', status: 429, retryAfterMs });
    const outcomes: (CallProblem | 'fine')[] = [
      ...[limited(1250), limited(7000), limited(3_600_000), limited(0)],
      ...[problem('transient'), problem('transient'), problem('transient')],
      ...[limited(5), problem('transient'), problem('transient')],
      'fine',
    ];
    const { attempts, waits } = await play(outcomes);
    expect(attempts).toBe(11);
    expect(waits).toEqual([1250, 7000, 600_000, 1000, 2000, 4000, 5, 8000, 16_000]);
  });

  it('backs off from 2 s where a rate limit names no time', async () => {
    const { waits } = await play([
      ...Array<CallProblem>(7).fill(problem('rate-limit')),
      'fine' as const,
    ]);
    expect(waits).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('waits 30 min for rate limits in all', async () => {
    const limited = problem('rate-limit', { kind: 'rate-limit', retryAfterMs: 600_000 });
    const { waits, failure } = await play([limited]);
    expect(waits).toEqual([600_000, 600_000, 600_000]);
    expect(failure).toMatchObject({ kind: 'rate-limit', isRetryable: true, attempts: 4 });
  });

  it('leaves a refused parameter out once', async () => {
    const refused = problem('parameter', { kind: 'bad-request', parameter: 'seed' });
    expect(await play([refused, 'fine'], { adapt: () => true })).toMatchObject({
      ...{ attempts: 2, waits: [], failure: null },
    });
    const again = await play([refused], { adapt: () => true });
    expect(again).toMatchObject({ attempts: 2, failure: { kind: 'bad-request' } });
    expect((await play([refused], { adapt: () => false })).attempts).toBe(1);
    expect((await play([refused])).attempts).toBe(1);
  });

  it.each(['final', 'refused'] as const)('sends once what is %s', async (row) => {
    const { attempts, failure } = await play([problem(row)]);
    expect(attempts).toBe(1);
    expect(failure?.isRetryable).toBe(false);
  });

  it('repeats refusals where that is wished', async () => {
    expect((await play([problem('refused')], { limits: { refusalRetries: 1 } })).attempts).toBe(2);
  });

  it('ends its waits when it is aborted', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const call = withRetries(async () => ({ problem: problem('transient') }), {
      ...{ clock, random: always(1), limits: defaultRetryLimits, signal: controller.signal },
    });
    const outcome = expect(call).rejects.toMatchObject({ kind: 'aborted', attempts: 2 });
    await clock.next();
    controller.abort(new Error('enough'));
    await outcome;
    expect(clock.now()).toBe(1000);
  });
});

describe('decideRetry', () => {
  it('is the same for the same history and draw', () => {
    const history = { ...createHistory(), failures: 3 };
    const options = { draw: 0.5, limits: defaultRetryLimits };
    expect(decideRetry(problem('transient'), history, options)).toEqual({
      ...{ isRetried: true, waitMs: 2000 },
    });
    expect(decideRetry(problem('transient'), history, options)).toEqual(
      decideRetry(problem('transient'), history, options),
    );
  });
});
