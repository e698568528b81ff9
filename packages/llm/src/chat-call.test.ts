import { describe, expect, it } from 'vitest';
import { createAdaptations } from './chat-body.js';
import { createChatCall } from './chat-call.js';
import { createRedactor } from './redact.js';

const setting = {
  ...{ model: 'm', isStreamed: true, redact: createRedactor([]), now: () => 0 },
  adaptations: createAdaptations(),
};
const request = { messages: [{ role: 'user', content: 'Which?' }] as const };

const readBody = (body: string) => {
  const { read } = createChatCall(request, setting);
  return read({ status: 200, headers: {}, body, isStream: false }).outcome;
};
const readStream = (...events: string[]) => {
  const { call, read } = createChatCall(request, setting);
  call.onStream?.()(events.map((event) => `data: ${event}\n\n`).join(''));
  return read({ status: 200, headers: {}, body: '', isStream: true }).outcome;
};
const choice = (content: string, finish: string | null) =>
  JSON.stringify({
    choices: [{ message: { content }, delta: { content }, finish_reason: finish }],
  });

describe('createChatCall', () => {
  it('reads answers, whole and streamed', () => {
    expect(readBody(choice('blue', 'stop')).value).toMatchObject({ text: 'blue' });
    const streamed = readStream(choice('deep ', null), choice('blue', 'stop'), '[DONE]');
    expect(streamed.value).toMatchObject({ text: 'deep blue', finish: 'stop' });
  });

  it('takes streams that break off as broken connections', () => {
    expect(readStream(choice('deep ', null)).problem).toMatchObject({
      ...{ class: 'transient', kind: 'network' },
    });
    expect(readStream('{"choi').problem).toMatchObject({ class: 'empty' });
  });

  it('finds errors that are stated with status 200', () => {
    const error = (code: unknown) => JSON.stringify({ error: { message: 'overloaded', code } });
    expect(readBody(error(429)).problem).toMatchObject({ class: 'rate-limit', status: 429 });
    expect(readBody(error('server_error')).problem).toMatchObject({
      ...{ class: 'transient', message: 'the server answered 500: overloaded' },
    });
    expect(readStream(choice('de', null), error(503)).problem).toMatchObject({
      ...{ class: 'transient', status: 503 },
    });
    expect(readBody(choice('half', 'error')).problem).toMatchObject({ class: 'transient' });
    expect(readBody(choice('half', 'abort')).problem).toMatchObject({ class: 'transient' });
  });

  it('keeps what is no answer', () => {
    const problem = { class: 'empty', kind: 'server', body: '<html>' };
    expect(readBody('<html>').problem).toMatchObject(problem);
    expect(readBody('{"error":null}').problem).toMatchObject({ class: 'empty' });
    expect(readBody(choice(' \n', 'stop')).problem).toMatchObject({ class: 'empty' });
    expect(readBody(choice('', 'length')).value).toMatchObject({ text: '', finish: 'length' });
    expect(readBody(choice('', 'tool_calls')).value).toMatchObject({ finish: 'tool' });
  });

  it('writes the body once, and anew after an adaptation', () => {
    const adaptations = createAdaptations();
    const { call } = createChatCall(request, { ...setting, adaptations });
    const first = call.body();
    expect(call.body()).toBe(first);
    adaptations.dropped.add('top_p');
    expect(JSON.parse(call.body() ?? '')).toEqual({
      ...{ model: 'm', messages: request.messages, temperature: 0, max_tokens: 1024 },
      ...{ stream: true, stream_options: { include_usage: true } },
    });
  });

  it('sends every part of a request', () => {
    const full = {
      ...request,
      ...{ temperature: 0.5, topP: 0.9, maxTokens: 9, stop: ['x'], seed: 3, topLogprobs: 4 },
      responseFormat: { type: 'json_schema', name: 'answer', schema: { type: 'object' } } as const,
      ...{ extra: { top_k: 5 }, sample: 2, tag: 'judge' },
    };
    const { call } = createChatCall(full, { ...setting, isStreamed: false });
    expect(JSON.parse(call.body() ?? '')).toEqual({
      ...{ model: 'm', messages: request.messages, temperature: 0.5, top_p: 0.9, max_tokens: 9 },
      ...{ stop: ['x'], seed: 3, logprobs: true, top_logprobs: 4, top_k: 5 },
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', strict: true, schema: { type: 'object' } },
      },
    });
    const zero = createChatCall({ ...request, topLogprobs: 0 }, setting).call.body() ?? '';
    expect(JSON.parse(zero)).toMatchObject({ logprobs: true });
    expect(zero).not.toContain('top_logprobs');
  });
});
