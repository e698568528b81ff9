import { cpuMilliseconds } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LlmFailure } from './llm-failure.js';
import { createScriptedClient } from './scripted.js';

const ask = (content: string) => ({ messages: [{ role: 'user', content }] }) as const;

describe('createScriptedClient', () => {
  it('answers by the request', async () => {
    const client = createScriptedClient({
      answer: ({ messages }) => `You said: ${messages[0]!.content}`,
    });
    const answer = await client.chat(ask('Hi'));
    expect(answer).toMatchObject({
      text: 'You said: Hi',
      finish: 'stop',
      servedModel: 'scripted',
      usage: { prompt: 1, completion: 3, isEstimated: true },
    });
    expect(answer.requestHash).toBe(client.hashOf(ask('Hi')));
    expect({ ...answer }.requestHash).toMatch(/^[0-9a-f]{64}$/);
    expect(client.hashOf(ask('Ho'))).not.toBe(answer.requestHash);
  });

  it('gives all that an answer may have, fails, and is aborted', async () => {
    const client = createScriptedClient({
      model: 'm',
      answer: async ({ tag }) => {
        if (tag === 'fail') {
          throw new LlmFailure('no', { kind: 'refusal', isRetryable: false, attempts: 1 });
        }
        return { text: 't', reasoning: 'r', finish: 'length', costUsd: 0.5, warnings: ['w'] };
      },
    });
    expect(await client.chat(ask('x'))).toMatchObject({
      ...{ reasoning: 'r', finish: 'length', costUsd: 0.5, warnings: ['w'], servedModel: 'm' },
      usage: { completion: 2, reasoning: 1 },
    });
    await expect(client.chat({ ...ask('x'), tag: 'fail' })).rejects.toMatchObject({
      kind: 'refusal',
    });
    const signal = AbortSignal.abort();
    await expect(client.chat({ ...ask('x'), signal })).rejects.toMatchObject({ kind: 'aborted' });
    await expect(client.embed(['x'], { signal })).rejects.toMatchObject({ kind: 'aborted' });
    await client.close();
  });

  it('answers in JSON', async () => {
    const client = createScriptedClient({ answer: () => '{"n":"3"}' });
    const { json, origin } = await client.json(ask('x'), z.object({ n: z.number() }));
    expect({ json, origin }).toEqual({ json: { n: 3 }, origin: 'repaired' });
  });

  it('counts, and embeds by common words', async () => {
    const client = createScriptedClient({ answer: () => '' });
    expect(await client.count([{ role: 'user', content: 'Hello' }])).toMatchObject({ tokens: 8 });
    const { width, values } = await client.embed(['red apple', 'an apple, red', 'blue sky', '']);
    expect([width, values.length]).toEqual([64, 256]);
    const dot = (a: number, b: number) =>
      values
        .subarray(a * width, (a + 1) * width)
        .reduce((sum, value, at) => sum + value * values[b * width + at]!, 0);
    expect(dot(0, 0)).toBeCloseTo(1, 6);
    expect(dot(3, 3)).toBeCloseTo(1, 6);
    expect(dot(0, 1)).toBeGreaterThan(0.8);
    expect(dot(0, 2)).toBeLessThan(0.1);
  });

  it('takes well under a second for 100,000 answers', async () => {
    const client = createScriptedClient({ answer: () => 'Yes.' });
    const request = ask('Is it? '.repeat(20));
    const spent = await cpuMilliseconds(async () => {
      for (let index = 0; index < 100_000; index += 1) await client.chat(request);
    });
    // Generous: beside others on one core the same work takes longer.
    expect(spent).toBeLessThan(5000);
  });
});
