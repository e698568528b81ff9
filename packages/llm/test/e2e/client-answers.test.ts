import { describe, expect, it } from 'vitest';
import { ask, failureOf, type Rules, setStage } from './client-setup.js';

const stage = setStage();

describe.each([false, true])('createClient, streamed: %s', (isStreamed) => {
  it('answers', async () => {
    const { client } = stage.play([{ do: 'text', text: 'blue' }], { isStreamed });
    const result = await client.chat(ask());
    expect(result).toMatchObject({
      ...{ text: 'blue', reasoning: null, logprobs: null, finish: 'stop', attempts: 1 },
      ...{ isCached: false, servedModel: 'fake-model', warnings: [], costUsd: null },
      requestHash: client.hashOf(ask()),
    });
    expect(result.usage).toMatchObject({ isEstimated: false });
    expect(result.usage.prompt).toBeGreaterThan(0);
    expect(result.firstTokenMs === null).toBe(!isStreamed);
  });

  it('always sends temperature, top_p and max_tokens', async () => {
    const { client } = stage.play([], { isStreamed, apiKey: 'sk-secret-of-mine' });
    await client.chat(ask());
    const [received] = stage.server.requests();
    expect(received?.body).toMatchObject({ temperature: 0, top_p: 1, max_tokens: 1024 });
    expect(received?.headers['authorization']).toBe('Bearer sk-secret-of-mine');
    expect(Object.keys(received?.body ?? {})).not.toContain('sample');
  });

  it.each([
    ['tags', 'blue'],
    ['closing-tag', 'blue'],
    ['reasoning_content', 'blue'],
    ['reasoning', 'blue'],
  ] as const)('takes reasoning off: %s', async (form, text) => {
    const rules: Rules = [
      { do: 'text', text },
      { do: 'reasoning', form, text: 'Hm. No.' },
    ];
    const { client } = stage.play(rules, { isStreamed });
    const result = await client.chat(ask('Which?', { topLogprobs: 2 }));
    expect(result).toMatchObject({ text, reasoning: 'Hm. No.' });
    expect(
      result.logprobs
        ?.map(({ token }) => token)
        .join('')
        .trim(),
    ).toBe(text);
  });

  it('gives log probabilities', async () => {
    const { client } = stage.play([{ do: 'text', text: 'deep blue' }], { isStreamed });
    const { logprobs } = await client.chat(ask('Which?', { topLogprobs: 5 }));
    expect(logprobs?.map(({ token }) => token).join('')).toBe('deep blue');
    expect(logprobs?.[0]?.top).toHaveLength(5);
    expect(logprobs?.[0]?.logprob).toBeLessThanOrEqual(0);
  });

  it('tells answers that were cut by their finish', async () => {
    const { client } = stage.play([{ do: 'words', count: 20 }, { do: 'length' }], { isStreamed });
    expect(await client.chat(ask())).toMatchObject({ finish: 'length', attempts: 1 });
  });

  it.each([
    [{ do: 'refusal' }, 'refusal'],
    [{ do: 'content-filter' }, 'content-filter'],
    [{ do: 'content-filter', form: 'error' }, 'content-filter'],
  ] as const)('fails at once by %j', async (rule, kind) => {
    const { client, clock } = stage.play([rule], { isStreamed });
    const failure = await failureOf(client.chat(ask()));
    expect(failure).toMatchObject({ kind, attempts: 1, isRetryable: false });
    expect(clock.waits).toEqual([]);
  });

  it.each(['empty', 'null', 'blank'] as const)('asks again after %s content', async (content) => {
    const rule = { do: 'empty', content, when: { times: 1 } } as const;
    const { client, clock } = stage.play([rule, { do: 'text', text: 'blue' }], { isStreamed });
    expect(await client.chat(ask())).toMatchObject({ text: 'blue', attempts: 2 });
    expect(clock.waits).toEqual([1000]);
    stage.server.reset();
    stage.server.useScript({ rules: [{ do: 'empty', content }] });
    expect(await failureOf(client.chat(ask('Another?')))).toMatchObject({ attempts: 2 });
  });

  it('asks again after a connection that broke', async () => {
    for (const at of ['before-headers', 'within-headers', 'mid-body'] as const) {
      const cut = stage.play([{ do: 'cut', at, when: { times: 2 } }], { isStreamed });
      expect((await cut.client.chat(ask(at))).attempts).toBe(3);
      expect(cut.clock.waits).toEqual([1000, 2000]);
    }
  });

  it('estimates usage that is missing, and says so', async () => {
    const { client } = stage.play([{ do: 'no-usage' }, { do: 'text', text: 'blue' }], {
      isStreamed,
    });
    const { usage, warnings } = await client.chat(ask());
    expect(usage.isEstimated).toBe(true);
    expect(usage.prompt).toBeGreaterThan(3);
    expect(warnings).toEqual(['usage: the server gave none, tokens are estimated']);
  });

  it('finds a prompt that was cut silently', async () => {
    const { client } = stage.play([{ do: 'truncate', tokens: 500 }], { isStreamed });
    const failure = await failureOf(client.chat(ask('many words here '.repeat(600))));
    expect(failure).toMatchObject({ kind: 'truncated', isRetryable: false });
    expect((await client.chat(ask('few words'))).attempts).toBe(1);
  });

  it('ends when it is aborted, before and within the answer', async () => {
    for (const at of ['before-headers', 'mid-body'] as const) {
      const { client } = stage.play([{ do: 'hang', at }], { isStreamed });
      const controller = new AbortController();
      const call = failureOf(client.chat(ask(at, { signal: controller.signal })));
      setTimeout(() => controller.abort(), 50);
      expect(await call).toMatchObject({ kind: 'aborted', code: 'LAB_INTERRUPTED' });
    }
  });

  it('ends what takes too long, after two requests', async () => {
    const { client, clock } = stage.play([{ do: 'hang', at: 'mid-body' }], { isStreamed });
    const failure = await failureOf(client.chat(ask('slow', { timeoutMs: 60 })));
    expect(failure).toMatchObject({ kind: 'timeout', attempts: 2, isRetryable: true });
    expect(clock.waits).toEqual([1000]);
  });
});
