import { exitCodeOf } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../src/__fixtures__/fake-clock.js';
import type { FailureKind } from '../../src/llm-failure.js';
import { startFakeServer } from '../../src/testing.js';
import { ask, failureOf, type Rules, setStage } from './client-setup.js';

const stage = setStage();

describe('createClient', () => {
  it('asks again after broken JSON', async () => {
    const { client, clock } = stage.play([{ do: 'broken-json', when: { times: 1 } }]);
    expect((await client.chat(ask())).attempts).toBe(2);
    expect(clock.waits).toEqual([1000]);
  });

  it.each([
    ['milliseconds', 1250, 1250],
    ['seconds', 7000, 7000],
    ['seconds', 3_600_000, 600_000],
  ] as const)('waits by Retry-After in %s: %i', async (retryAfter, waitMs, expected) => {
    const { client, clock, events } = stage.play([
      { do: 'rate-limit', retryAfter, waitMs, when: { times: 1 } },
    ]);
    expect((await client.chat(ask())).attempts).toBe(2);
    // The pause of the pool has passed by the time that the request comes back to it.
    expect(clock.waits).toEqual([expected]);
    expect(events).toEqual([
      { type: 'retry', failure: 'rate-limit', status: 429, waitMs: expected },
    ]);
  });

  it('waits by Retry-After as a date', async () => {
    const server = await startFakeServer({
      clock: { ...createFakeClock(true), sleep: () => Promise.resolve() },
      script: {
        rules: [{ do: 'rate-limit', retryAfter: 'date', waitMs: 90_000, when: { times: 1 } }],
      },
    });
    const { client, clock } = stage.play([], { baseUrl: server.url });
    expect((await client.chat(ask())).attempts).toBe(2);
    expect(clock.waits).toEqual([90_000]);
    await server.close();
  });

  it('keeps to the limits in the headers', async () => {
    const { client, clock } = stage.play([{ do: 'rate-headers', requests: 60 }]);
    for (const content of ['a', 'b', 'c', 'd']) await client.chat(ask(content));
    expect(clock.waits).toEqual([1000, 1000]);
  });

  it('tries six times what passes', async () => {
    const { client, clock } = stage.play([{ do: 'status', status: 500 }]);
    const failure = await failureOf(client.chat(ask()));
    expect(failure).toMatchObject({ kind: 'server', status: 500, attempts: 6 });
    expect(clock.waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(stage.server.counters.received).toBe(6);
  });

  it.each<[Rules[number], FailureKind, number, boolean]>([
    [{ do: 'quota' }, 'quota', 5, true],
    [{ do: 'status', status: 401 }, 'auth', 4, true],
    [{ do: 'known-models', names: ['other'] }, 'auth', 4, true],
    [{ do: 'context-length' }, 'context-length', 5, false],
    [{ do: 'status', status: 400, message: 'no' }, 'bad-request', 5, false],
  ])('gives up at once by %j', async (rule, kind, exit, endsRun) => {
    const { client, clock } = stage.play([rule]);
    const failure = await failureOf(client.chat(ask('one two three four')));
    expect(failure).toMatchObject({ kind, attempts: 1, endsRun, isRetryable: false });
    expect(exitCodeOf(failure)).toBe(exit);
    expect(clock.waits).toEqual([]);
  });

  it('leaves out what the server does not take, once and for all', async () => {
    const { client, events } = stage.play([
      { do: 'refuse-parameter', parameter: 'max_tokens', instead: 'max_completion_tokens' },
      { do: 'refuse-parameter', parameter: 'temperature' },
      { do: 'text', text: 'blue' },
    ]);
    const result = await client.chat(ask());
    expect(result).toMatchObject({ text: 'blue', attempts: 3 });
    expect(result.warnings).toHaveLength(2);
    expect((await client.chat(ask('Again?'))).attempts).toBe(1);
    expect(stage.server.requests().at(-1)?.body).toMatchObject({ max_completion_tokens: 1024 });
    expect(stage.server.requests().at(-1)?.body['temperature']).toBeUndefined();
    expect(client.adaptations).toEqual(['temperature', 'max_tokens -> max_completion_tokens']);
    expect(events.filter(({ type }) => type === 'parameter')).toHaveLength(2);
  });

  it('goes on without logprobs, and says so', async () => {
    const refusing = stage.play([{ do: 'no-logprobs', form: 'refuse' }]);
    const refused = await refusing.client.chat(ask('a', { topLogprobs: 5 }));
    expect(refused.logprobs).toBeNull();
    expect(refused.warnings.join()).toContain('logprobs');
    const ignoring = stage.play([{ do: 'no-logprobs' }]);
    const ignored = await ignoring.client.chat(ask('b', { topLogprobs: 5 }));
    expect(ignored).toMatchObject({ logprobs: null, warnings: ['logprobs: the server gave none'] });
  });

  it('warns when another model answers', async () => {
    const { client, events } = stage.play([
      { do: 'wrong-model', name: 'other', when: { contains: 'b' } },
    ]);
    expect((await client.chat(ask('a'))).warnings).toEqual([]);
    const second = await client.chat(ask('b'));
    expect(second.servedModel).toBe('other');
    expect(second.warnings).toEqual(['served model: other, before it was fake-model']);
    expect(events).toEqual([{ type: 'served-model', before: 'fake-model', now: 'other' }]);
  });
});
