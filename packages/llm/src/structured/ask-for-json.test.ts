import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { result } from '../../test/chat-result.js';
import type { ChatRequest, ChatResult, StructuredLevel } from '../chat.js';
import { askForJson, UnparsedAnswer } from './ask-for-json.js';
import { createStructuredRates } from './rates.js';

const schema = z.object({ reason: z.string(), verdict: z.enum(['yes', 'no']) });
const good = '{"reason":"r","verdict":"yes"}';
const request: ChatRequest = { messages: [{ role: 'user', content: 'Is it?' }], temperature: 0.7 };

async function ask(
  answers: readonly Partial<ChatResult>[],
  level: StructuredLevel = 'prompt',
  change: Partial<ChatRequest> & { maxTokensCap?: number } = {},
) {
  const requests: ChatRequest[] = [];
  const outcomes: string[] = [];
  const { maxTokensCap, ...rest } = change;
  const answer = await askForJson(
    (asked) => {
      requests.push(asked);
      const next = answers[requests.length - 1];
      if (!next) throw new Error('One call too many.');
      return Promise.resolve(result({ requestHash: `hash${requests.length}`, ...next }));
    },
    { ...request, ...rest },
    schema,
    {
      level,
      onOutcome: (outcome) => outcomes.push(outcome),
      ...(maxTokensCap === undefined ? {} : { maxTokensCap }),
    },
  ).catch((error: unknown) => {
    if (error instanceof UnparsedAnswer) return error;
    throw error;
  });
  return { answer, requests, outcomes };
}

describe('askForJson', () => {
  it('tells the server the schema in strict form', async () => {
    const { requests, answer } = await ask([{ text: good }], 'json-schema');
    expect(answer).toMatchObject({ json: { verdict: 'yes' }, origin: 'direct' });
    expect(requests[0]).toMatchObject({ messages: request.messages, temperature: 0.7 });
    expect(requests[0]!.responseFormat).toEqual({
      type: 'json_schema',
      name: 'answer',
      schema: {
        type: 'object',
        properties: {
          reason: { type: 'string' },
          verdict: { type: 'string', enum: ['yes', 'no'] },
        },
        required: ['reason', 'verdict'],
        additionalProperties: false,
      },
    });
  });

  it('goes down the ladder', async () => {
    const field = await ask([{ text: good }], 'server-field', { extra: { top_k: 3 } });
    expect(Object.keys(field.requests[0]!.extra!)).toEqual([
      'structured_outputs',
      'json_schema',
      'top_k',
    ]);
    const object = await ask([{ text: good }], 'json-object');
    expect(object.requests[0]!.responseFormat).toEqual({ type: 'json_object' });
    expect(object.requests[0]!.messages[0]!.content).toMatch(/^Is it\?\n\n.*JSON Schema:\n\{/s);
    const prompt = await ask([{ text: good }], 'prompt');
    expect(prompt.requests[0]!.responseFormat).toBeUndefined();
    expect(prompt.requests[0]!.messages[0]!.content).toContain('"additionalProperties":false');
    const system = await ask([{ text: good }], 'prompt', {
      messages: [{ role: 'system', content: 's' }],
    });
    expect(system.requests[0]!.messages.map(({ role }) => role)).toEqual(['system', 'user']);
  });

  it('shows what is wrong once, at temperature 0', async () => {
    const { answer, requests, outcomes } = await ask([
      { text: '{"reason":"r","verdict":"maybe"}', costUsd: 1 },
      { text: good, costUsd: 2 },
    ]);
    expect(answer).toMatchObject({
      json: { verdict: 'yes' },
      origin: 'repaired-by-call',
      attempts: 2,
      costUsd: 3,
      usage: { prompt: 20, completion: 10 },
      requestHash: 'hash1',
    });
    expect(requests[1]).toMatchObject({ temperature: 0 });
    expect(requests[1]!.messages.slice(-2)).toEqual([
      { role: 'assistant', content: '{"reason":"r","verdict":"maybe"}' },
      { role: 'user', content: expect.stringContaining('- verdict: ') as string },
    ]);
    expect(outcomes).toEqual(['repaired-by-call']);
  });

  it('keeps the whole text of an answer that never fits', async () => {
    const text = 'No. '.repeat(1000);
    const { answer, outcomes } = await ask([{ text: 'x' }, { text }]);
    expect(answer).toMatchObject({ kind: 'parse', text, isRetryable: false, attempts: 2 });
    expect((answer as UnparsedAnswer).body).toHaveLength(2048);
    expect(outcomes).toEqual(['failed']);
  });

  it('asks once with twice the tokens after a cut', async () => {
    const cut = { text: '{"reason":"r', finish: 'length' } as const;
    const { answer, requests } = await ask([cut, { text: good }]);
    expect(requests.map(({ maxTokens }) => maxTokens)).toEqual([undefined, 2048]);
    expect(answer).toMatchObject({ origin: 'direct' });
    const twice = await ask([cut, cut]);
    expect(twice.answer).toMatchObject({ kind: 'truncated', text: '{"reason":"r' });
    const capped = await ask([cut], 'prompt', { maxTokens: 500, maxTokensCap: 500 });
    expect(capped.answer).toMatchObject({ kind: 'truncated' });
    const nearCap = await ask([cut, cut], 'prompt', { maxTokens: 500, maxTokensCap: 600 });
    expect(nearCap.requests[1]!.maxTokens).toBe(600);
  });

  it('closes what is still cut, and says so', async () => {
    const cut = { text: '{"reason":"r","verdict":"no","ext', finish: 'length' } as const;
    const { answer, requests } = await ask([cut, cut]);
    expect(requests).toHaveLength(2);
    expect(answer).toMatchObject({ json: { verdict: 'no' }, origin: 'repaired', finish: 'length' });
    expect((answer as ChatResult).warnings.join()).toMatch(/^truncated/);
  });

  it('takes a whole value of an answer that rambles on', async () => {
    const { answer } = await ask([{ text: `${good} Moreover, I`, finish: 'length' }]);
    expect(answer).toMatchObject({ origin: 'direct', warnings: [] });
  });

  it('fails as parse where the schema throws', async () => {
    const strange = z.object({ a: z.unknown() }).transform(() => {
      throw new Error('not made for this');
    });
    const asked = () => Promise.resolve(result({ text: '{"a":1}' }));
    const call = askForJson(asked, request, strange, { level: 'prompt' });
    await expect(call).rejects.toMatchObject({ kind: 'parse' });
  });
});

describe('createStructuredRates', () => {
  it('counts by model', () => {
    const rates = createStructuredRates();
    rates.record('a', 'direct');
    rates.record('a', 'failed');
    rates.record('b', 'repaired-by-call');
    expect(Object.fromEntries(rates.shares())).toEqual({
      a: { n: 2, direct: 0.5, repaired: 0, repairedByCall: 0, failed: 0.5 },
      b: { n: 1, direct: 0, repaired: 0, repairedByCall: 1, failed: 0 },
    });
  });
});
