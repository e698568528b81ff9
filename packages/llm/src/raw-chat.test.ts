import { describe, expect, it } from 'vitest';
import { createChatCollector, readChat } from './raw-chat.js';

const chunk = (delta: object, more: object = {}): string =>
  JSON.stringify({ model: 'm', choices: [{ delta, ...more }] });

describe('readChat', () => {
  it('reads content in parts', () => {
    const content = [{ type: 'text', text: 'deep ' }, { type: 'text', text: 'blue' }, null];
    const body = JSON.stringify({ choices: [{ message: { content } }] });
    expect(readChat(body)).toMatchObject({ content: 'deep blue', finish: 'stop', model: null });
  });

  it('takes the cached tokens of llama.cpp, and those of others first', () => {
    const choices = [{ message: { content: 'a' } }];
    const read = (usage: object) =>
      readChat(JSON.stringify({ choices, usage, timings: { cache_n: 5 } }))?.usage;
    expect(read({ prompt_tokens: 9 })).toEqual({
      ...{ prompt_tokens: 9, prompt_tokens_details: { cached_tokens: 5 } },
    });
    const own = { prompt_tokens: 9, prompt_tokens_details: { cached_tokens: 2 } };
    expect(read(own)).toEqual(own);
  });

  it.each(['', '{', 'null', '[]', '{}', '{"choices":[]}', '{"choices":[{}]}', '{"choices":7}'])(
    'takes no %j',
    (body) => expect(readChat(body)).toBeNull(),
  );
});

describe('createChatCollector', () => {
  it('puts an answer together', () => {
    let now = 0;
    const collector = createChatCollector(() => now);
    collector.add(chunk({ role: 'assistant', content: '' }));
    now = 30;
    collector.add(chunk({ reasoning_content: 'hm' }));
    now = 50;
    collector.add(chunk({ content: 'deep ' }, { logprobs: { content: [{ token: 'deep ' }] } }));
    collector.add(chunk({ content: 'blue' }, { logprobs: { content: [{ token: 'blue' }] } }));
    collector.add(chunk({}, { finish_reason: 'stop' }));
    collector.add(JSON.stringify({ choices: [], usage: { prompt_tokens: 3 } }));
    collector.add('[DONE]');
    expect(collector.finish()).toEqual({
      ...{ model: 'm', content: 'deep blue', reasoning: 'hm', refusal: null, finish: 'stop' },
      logprobs: [{ token: 'deep ' }, { token: 'blue' }],
      usage: { prompt_tokens: 3 },
      firstTokenMs: 30,
    });
  });

  it('tells streams that broke off, events that are no JSON, and errors', () => {
    const broken = createChatCollector(() => 0);
    broken.add(chunk({ content: 'de' }));
    expect(broken.finish()).toMatchObject({ content: 'de', finish: null });
    broken.add('{"choi');
    expect(broken.finish()).toBeNull();
    const failing = createChatCollector(() => 0);
    failing.add('{"error":{"message":"out of memory"}}');
    expect(failing.error).toContain('out of memory');
  });
});
