import { canonicalJson } from '@lab/core';
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from './chat.js';
import { hashedText, requestHash } from './request-hash.js';

const context = { server: 'http://localhost:8000/v1', model: 'tiny' };
const messages = [{ role: 'user', content: 'Name a colour.\n"Blue" – 蓝 😀' }] as const;
const full: ChatRequest = {
  messages: [{ role: 'system', content: 'Be brief.' }, ...messages],
  temperature: 0.7,
  topP: 0.95,
  maxTokens: 64,
  stop: ['\n\n', 'END'],
  seed: 7,
  topLogprobs: 5,
  responseFormat: { type: 'json_schema', name: 'answer', schema: { type: 'object', a: [1] } },
  extra: { top_k: 40, min_p: 0.05, chat_template_kwargs: { enable_thinking: false } },
  sample: 3,
};

describe('requestHash', () => {
  it('hashes canonical JSON', () => {
    for (const request of [{ messages }, full, { ...full, stop: [], extra: {} }]) {
      const text = hashedText(request, context);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }
    expect(hashedText({ messages }, context)).toBe(
      '{"maxTokens":1024,"messages":[{"content":"Name a colour.\\n\\"Blue\\" – 蓝 😀",' +
        '"role":"user"}],"model":"tiny","sample":0,"server":"http://localhost:8000/v1",' +
        '"temperature":0,"topP":1,"version":1}',
    );
  });

  it('knows no difference between defaults and the same written out', () => {
    const written = { messages, temperature: 0, topP: 1, maxTokens: 1024, sample: 0, stop: [] };
    for (const extra of [{}, { top_k: undefined }]) {
      expect(requestHash({ ...written, extra }, context)).toBe(requestHash({ messages }, context));
    }
  });

  it('knows no difference by what does not change the answer', () => {
    const other = { tag: 'judge', timeoutMs: 5, signal: new AbortController().signal };
    expect(requestHash({ messages, ...other }, context)).toBe(requestHash({ messages }, context));
    const noted = messages.map((message) => ({ ...message, note: 1 }));
    expect(requestHash({ messages: noted }, context)).toBe(requestHash({ messages }, context));
  });

  it('does not depend on the order of keys', () => {
    const extra = { chat_template_kwargs: { enable_thinking: false }, min_p: 0.05, top_k: 40 };
    expect(requestHash({ ...full, extra }, context)).toBe(requestHash(full, context));
  });

  it('differs by all that may change the answer', () => {
    const changes: Partial<ChatRequest>[] = [
      { messages: [{ role: 'system', content: 'Be brief!' }, ...messages] },
      { messages: [{ role: 'user', content: 'Be brief.' }, ...messages] },
      ...[{ temperature: 0.8 }, { topP: 0.9 }, { maxTokens: 65 }, { stop: ['\n\n'] }],
      ...[{ seed: 8 }, { seed: undefined }, { topLogprobs: 0 }, { topLogprobs: undefined }],
      ...[{ responseFormat: { type: 'json_object' } as const }, { responseFormat: undefined }],
      ...[{ extra: { top_k: 40 } }, { extra: undefined }, { sample: 4 }],
    ];
    const hashes = changes.map((change) => requestHash({ ...full, ...change }, context));
    hashes.push(requestHash(full, context), requestHash(full, { ...context, model: 'other' }));
    hashes.push(requestHash(full, { ...context, server: 'http://localhost:8001/v1' }));
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
