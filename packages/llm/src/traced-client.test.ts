import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { failure, smallClient } from './rows/__fixtures__/small-client.js';
import { tracedClient, type Tracer, type TraceValue } from './traced-client.js';

interface Seen {
  readonly name: string;
  readonly attributes: Record<string, TraceValue>;
  status: { readonly code: number; readonly message?: string } | null;
  ends: number;
}

/** A tracer that keeps its spans. */
function keepingTracer(): { readonly tracer: Tracer; readonly spans: readonly Seen[] } {
  const spans: Seen[] = [];
  const tracer: Tracer = {
    startSpan(name, { kind, attributes }) {
      const seen: Seen = { name, attributes: { kind, ...attributes }, status: null, ends: 0 };
      spans.push(seen);
      return {
        setAttributes: (more) => Object.assign(seen.attributes, more),
        setStatus: (status) => {
          seen.status = status;
        },
        end: () => {
          seen.ends += 1;
        },
      };
    },
  };
  return { tracer, spans };
}

const ask = (content: string) => ({ messages: [{ role: 'user', content }] }) as const;

describe('tracedClient', () => {
  it('makes a span of each chat, without prompts and answers', async () => {
    const { tracer, spans } = keepingTracer();
    const client = tracedClient(smallClient(() => 'the secret answer').client, tracer, 'vllm');
    const request = { ...ask('the secret question'), temperature: 0.5, seed: 7, stop: ['END'] };
    expect((await client.chat(request)).text).toBe('the secret answer');
    expect(spans).toEqual([
      {
        ...{ name: 'chat small', status: null, ends: 1 },
        attributes: {
          kind: 2,
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'vllm',
          'gen_ai.request.model': 'small',
          'gen_ai.request.temperature': 0.5,
          'gen_ai.request.top_p': 1,
          'gen_ai.request.max_tokens': 1024,
          'gen_ai.request.seed': 7,
          'gen_ai.request.stop_sequences': ['END'],
          'gen_ai.response.model': 'small-served',
          'gen_ai.response.finish_reasons': ['stop'],
          'gen_ai.usage.input_tokens': 10,
          'gen_ai.usage.output_tokens': 5,
          'lab.llm.cached': false,
          'lab.llm.requests': 1,
          'lab.llm.cost_usd': 0.001,
        },
      },
    ]);
    expect(JSON.stringify(spans)).not.toContain('secret');
  });

  it('names the kind of a failure, and traces the calls of an answer in JSON', async () => {
    const { tracer, spans } = keepingTracer();
    const answer = (prompt: string): string => {
      if (prompt === 'fails') throw failure('timeout');
      return '{"x":1}';
    };
    const client = tracedClient(smallClient(answer).client, tracer);
    await expect(client.chat(ask('fails'))).rejects.toThrow('timeout');
    expect(spans[0]).toMatchObject({
      attributes: { 'error.type': 'timeout' },
      ...{ status: { code: 2, message: 'timeout' }, ends: 1 },
    });
    const { json } = await client.json(ask('data'), z.object({ x: z.number() }));
    expect(json).toEqual({ x: 1 });
    expect(spans.map(({ name }) => name)).toEqual(['chat small', 'chat small']);
    await expect(client.embed(['a'])).rejects.toThrow('not here');
    expect(spans[2]).toMatchObject({ attributes: { 'error.type': 'internal' }, ends: 1 });
  });
});
