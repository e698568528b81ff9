import { describe, expect, it } from 'vitest';
import type { FakeScript } from '../testing.js';
import { ask, choiceOf, closeAfterEach, contentOf, start } from './__fixtures__/ask.js';

closeAfterEach();

describe('answers', () => {
  it('gives the same words to the same prompt, whatever the order and the server', async () => {
    const [one, two] = [await start({}), await start({})];
    const first = await Promise.all(['a', 'b', 'c'].map((text) => ask(one, text)));
    const second = await Promise.all(['c', 'b', 'a'].map((text) => ask(two, text)));
    expect(second.toReversed().map((x) => x.text)).toEqual(first.map((x) => x.text));
    expect(new Set(first.map((x) => contentOf(x))).size).toBe(3);
    expect(first[0]?.json).toMatchObject({
      object: 'chat.completion',
      model: 'm',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant' } }],
      usage: { prompt_tokens: 7, completion_tokens: 6, total_tokens: 13 },
    });
  });

  it('answers from a table, by echo, by choice, and by a count of words', async () => {
    const server = await start({
      rules: [
        { do: 'table', answers: { 'capital of France?': 'Paris', 'json?': '{"a":1}' } },
        { do: 'choose', texts: ['yes', 'no'], when: { contains: 'choose' } },
        { do: 'words', count: 2, when: { contains: 'two' } },
        { do: 'echo' },
      ],
    });
    expect(contentOf(await ask(server, 'capital of France?'))).toBe('Paris');
    expect(contentOf(await ask(server, 'say this'))).toBe('say this');
    expect(String(contentOf(await ask(server, 'two'))).split(' ')).toHaveLength(2);
    const chosen = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => contentOf(await ask(server, `choose ${i}`))),
    );
    expect(new Set(chosen)).toEqual(new Set(['yes', 'no']));
  });

  it('differs by seed when warm, and by place among several choices', async () => {
    const server = await start({});
    const cold = await ask(server, 'x', { seed: 1 });
    expect(contentOf(await ask(server, 'x', { seed: 2 }))).toBe(contentOf(cold));
    const warm = await ask(server, 'x', { seed: 1, temperature: 1 });
    expect(contentOf(warm)).not.toBe(contentOf(cold));
    const many = await ask(server, 'x', { n: 3, temperature: 1 });
    expect(new Set(many.json?.choices?.map((x) => x.message['content'])).size).toBe(3);
    expect(many.json?.usage?.['completion_tokens']).toBe(18);
  });

  it('keeps to the limit of tokens', async () => {
    const server = await start({ rules: [{ do: 'echo' }] });
    const answer = await ask(server, 'one two three four five', { max_tokens: 3 });
    expect(contentOf(answer)).toBe('one two three');
    expect(choiceOf(answer).finish_reason).toBe('length');
    expect(answer.json?.usage?.['completion_tokens']).toBe(3);
    const renamed = await ask(server, 'one two', { max_completion_tokens: 1 });
    expect(contentOf(renamed)).toBe('one');
  });
});

describe('bent answers', () => {
  const rules: FakeScript['rules'] = [
    { do: 'fenced', when: { contains: 'fenced' } },
    { do: 'extra-text', before: 'Sure: ', after: ' Bye.', when: { contains: 'extra' } },
    { do: 'text', text: '{"a":1}' },
  ];

  it('fenced, and with text around', async () => {
    const server = await start({ rules });
    expect(contentOf(await ask(server, 'fenced'))).toBe('```json\n{"a":1}\n```');
    expect(contentOf(await ask(server, 'extra'))).toBe('Sure: {"a":1} Bye.');
    expect(contentOf(await ask(server, 'extra fenced'))).toBe('Sure: ```json\n{"a":1}\n``` Bye.');
  });

  it('reasoning in each form', async () => {
    const forms = ['tags', 'closing-tag', 'open-tag', 'reasoning_content', 'reasoning'] as const;
    const server = await start({
      rules: [
        { do: 'text', text: 'yes' },
        ...forms.map((form) => ({
          do: 'reasoning' as const,
          form,
          text: 'hm hm',
          when: { contains: `${form}.` },
        })),
      ],
    });
    const messages = await Promise.all(
      forms.map(async (form) => choiceOf(await ask(server, `${form}.`))),
    );
    expect(messages.map((x) => x.message)).toEqual([
      { role: 'assistant', content: '<think>\nhm hm\n</think>\n\nyes' },
      { role: 'assistant', content: 'hm hm\n</think>\n\nyes' },
      { role: 'assistant', content: '<think>\nhm hm' },
      { role: 'assistant', content: 'yes', reasoning_content: 'hm hm' },
      { role: 'assistant', content: 'yes', reasoning: 'hm hm' },
    ]);
    expect(messages[2]?.finish_reason).toBe('length');
    const { json } = await ask(server, 'reasoning_content.');
    expect(json?.usage).toMatchObject({
      completion_tokens_details: { reasoning_tokens: 2 },
      completion_tokens: 3,
    });
  });

  it('refusals, filters and empty texts', async () => {
    const server = await start({
      rules: [
        { do: 'refusal', when: { contains: 'refuse' } },
        { do: 'refusal', form: 'text', when: { contains: 'decline' } },
        { do: 'content-filter', when: { contains: 'filter' } },
        { do: 'content-filter', form: 'error', when: { contains: 'block' } },
        { do: 'empty', when: { contains: 'empty' } },
        { do: 'empty', content: 'null', when: { contains: 'null' } },
        { do: 'empty', content: 'blank', when: { contains: 'blank' } },
      ],
    });
    const refused = choiceOf(await ask(server, 'refuse')).message;
    expect(refused).toMatchObject({ content: null, refusal: expect.stringContaining('sorry') });
    expect(contentOf(await ask(server, 'decline'))).toContain('sorry');
    const filtered = choiceOf(await ask(server, 'filter'));
    expect(filtered).toMatchObject({ finish_reason: 'content_filter', message: { content: null } });
    const blocked = await ask(server, 'block');
    expect([blocked.status, blocked.json?.error?.code]).toEqual([400, 'content_filter']);
    expect(contentOf(await ask(server, 'empty'))).toBe('');
    expect(contentOf(await ask(server, 'null'))).toBeNull();
    expect(contentOf(await ask(server, 'blank'))).toBe(' \n');
  });

  it('cut by length until more tokens are allowed', async () => {
    const server = await start({
      rules: [
        { do: 'text', text: 'one two three four' },
        { do: 'length', untilMaxTokens: 200 },
      ],
    });
    const short = await ask(server, 'x', { max_tokens: 100 });
    expect(contentOf(short)).toBe('one two');
    expect(choiceOf(short).finish_reason).toBe('length');
    const whole = await ask(server, 'x', { max_tokens: 200 });
    expect(contentOf(whole)).toBe('one two three four');
    expect(choiceOf(whole).finish_reason).toBe('stop');
    expect(server.counters).toMatchObject({ doublePaid: 1, surplusPaid: 1 });
  });

  it('no usage, cached tokens, another model, headers of limits', async () => {
    const server = await start({
      rules: [
        { do: 'no-usage', when: { contains: 'usage' } },
        { do: 'cached-tokens', tokens: 4 },
        { do: 'wrong-model', name: 'other-7b' },
        { do: 'rate-headers', requests: 100, tokens: 5000 },
      ],
    });
    const answer = await ask(server, 'hello there');
    expect(answer.json).toMatchObject({
      model: 'other-7b',
      usage: { prompt_tokens_details: { cached_tokens: 4 } },
    });
    expect(answer.headers.get('x-ratelimit-limit-requests')).toBe('100');
    expect(answer.headers.get('x-ratelimit-limit-tokens')).toBe('5000');
    expect((await ask(server, 'usage')).json).not.toHaveProperty('usage');
  });

  it('drops the beginning of long prompts without a word', async () => {
    const server = await start({
      rules: [
        { do: 'truncate', tokens: 100 },
        { do: 'recall', pattern: 'MARK-(\\w+)' },
      ],
    });
    const short = await ask(server, 'MARK-abc is the word. Say it.');
    expect(contentOf(short)).toBe('abc');
    const long = await ask(server, `MARK-abc ${'filler '.repeat(200)} MARK-end`);
    expect(contentOf(long)).toBe('end');
    expect(long.json?.usage?.['prompt_tokens']).toBe(100);
    expect(short.json?.usage?.['prompt_tokens']).toBeLessThan(20);
  });

  it('latency: fixed, spread by hash, and for each token', async () => {
    const waits: number[] = [];
    const sleep = (ms: number): Promise<void> => {
      waits.push(ms);
      return Promise.resolve();
    };
    const clock = { now: () => 0, date: () => 0, sleep };
    const script: FakeScript = {
      rules: [
        { do: 'latency', ms: 100, spreadMs: 50, when: { contains: 'spread' } },
        { do: 'latency', tokenMs: 10, when: { contains: 'token' } },
        { do: 'words', count: 4 },
      ],
    };
    const server = await start(script, { clock, latencyMs: 7 });
    await ask(server, 'plain');
    await ask(server, 'spread');
    await ask(server, 'token');
    const spread = waits[1] ?? 0;
    expect(waits).toEqual([7, spread, 40]);
    expect(spread).toBeGreaterThan(100);
    expect(spread).toBeLessThan(150);
    waits.length = 0;
    await ask(server, 'token', { stream: true });
    expect(waits).toEqual([0, 10, 10, 10, 10, 10, 10]);
  });
});
