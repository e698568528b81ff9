import { describe, expect, it } from 'vitest';
import { ask, choiceOf, closeAfterEach, contentOf, post, start, user } from './__fixtures__/ask.js';

closeAfterEach();

describe('structured answers', () => {
  const schema = {
    type: 'object',
    properties: {
      reason: { type: 'string' },
      verdict: { enum: ['yes', 'no'] },
      score: { type: 'integer', minimum: 1, maximum: 5 },
    },
    required: ['reason', 'verdict', 'score'],
    additionalProperties: false,
  };
  const format = { type: 'json_schema', json_schema: { name: 'n', strict: true, schema } };

  it('obeys a schema in the forms of OpenAI, vLLM and llama.cpp', async () => {
    const server = await start({});
    const bodies = [
      { response_format: format },
      { structured_outputs: { json: schema } },
      { response_format: { type: 'json_object', schema } },
    ];
    for (const body of bodies) {
      const text = String(contentOf(await ask(server, 'x', body)));
      const value = JSON.parse(text) as { verdict: string; score: number };
      expect(Object.keys(value)).toEqual(['reason', 'verdict', 'score']);
      expect(['yes', 'no']).toContain(value.verdict);
      expect([1, 2, 3, 4, 5]).toContain(value.score);
    }
    const choice = { structured_outputs: { choice: ['left', 'right'] } };
    expect(['left', 'right']).toContain(contentOf(await ask(server, 'x', choice)));
    const plain = await ask(server, 'x', { response_format: { type: 'json_object' } });
    expect(JSON.parse(String(contentOf(plain)))).toHaveProperty('answer');
  });

  it('ignores a schema, or fills one of the script', async () => {
    const server = await start({
      rules: [{ do: 'schema-ignored' }, { do: 'fill-schema', schema, when: { contains: 'fill' } }],
    });
    const ignored = String(contentOf(await ask(server, 'x', { response_format: format })));
    expect(() => JSON.parse(ignored) as unknown).toThrow();
    expect(JSON.parse(String(contentOf(await ask(server, 'fill'))))).toHaveProperty('verdict');
  });
});

describe('log probabilities', () => {
  it('lists alternatives, made up or scripted', async () => {
    const server = await start({
      rules: [
        { do: 'alternatives', of: { yes: { yes: 0.7, no: 0.2, Yes: 0.1 } } },
        { do: 'text', text: 'so yes' },
      ],
    });
    const answer = await ask(server, 'x', { logprobs: true, top_logprobs: 2 });
    const [first, second] = choiceOf(answer).logprobs?.content ?? [];
    expect(first?.token).toBe('so');
    expect(first?.top_logprobs).toHaveLength(2);
    expect(second).toMatchObject({ token: ' yes', logprob: Math.log(0.7) });
    expect(second?.top_logprobs.map((x) => x.token)).toEqual([' yes', ' no']);
    expect(choiceOf(await ask(server, 'x')).logprobs).toBeNull();
  });

  it('leaves them out silently', async () => {
    const server = await start({ rules: [{ do: 'no-logprobs' }] });
    const answer = await ask(server, 'x', { logprobs: true, top_logprobs: 5 });
    expect([answer.status, choiceOf(answer).logprobs]).toEqual([200, null]);
  });
});

describe('other endpoints', () => {
  it('completions', async () => {
    const server = await start({ rules: [{ do: 'echo' }] });
    const answer = await post(server, 'completions', { prompt: 'once upon', logprobs: 1 });
    expect(answer.json?.choices?.[0]).toMatchObject({
      text: 'once upon',
      finish_reason: 'stop',
      logprobs: { tokens: ['once', ' upon'], text_offset: [0, 4] },
    });
    const stream = await post(server, 'completions', { prompt: 'once upon', stream: true });
    expect(stream.text).toContain('"text":" upon"');
    expect(stream.text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('embeddings: of length one, near by shared words, shuffled and uneven when told', async () => {
    const server = await start({
      embeddingWidth: 32,
      rules: [
        { do: 'shuffle-embeddings', when: { contains: 'shuffle' } },
        { do: 'uneven-embeddings', when: { contains: 'uneven' } },
      ],
    });
    const embed = async (...input: string[]) =>
      (await post(server, 'embeddings', { input })).json?.data ?? [];
    const [cat, cats, tax] = (await embed('the cat sat', 'the cat lay', 'income tax form')).map(
      (x) => x.embedding,
    );
    const dot = (a: number[] = [], b: number[] = []): number =>
      a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
    expect(dot(cat, cat)).toBeCloseTo(1, 5);
    expect(dot(cat, cats)).toBeGreaterThan(dot(cat, tax));
    expect((await embed('shuffle a', 'b')).map((x) => x.index)).toEqual([1, 0]);
    expect((await embed('uneven', 'b')).map((x) => x.embedding.length)).toEqual([32, 31]);
    expect(server.counters).toMatchObject({ paid: 3, completionTokens: 0 });
  });

  it('models and, when switched on, tokenize', async () => {
    const server = await start({ model: 'tiny', contextTokens: 4096, tokenize: true });
    const models = await (await fetch(`${server.url}/models`)).json();
    expect(models).toMatchObject({ data: [{ id: 'tiny', max_model_len: 4096 }] });
    const counted = await post(server, '/tokenize', { messages: user('a b c') });
    const asked = await ask(server, 'a b c');
    expect(counted.json).toMatchObject({
      count: asked.json?.usage?.['prompt_tokens'],
      max_model_len: 4096,
    });
    const without = await start({});
    expect((await post(without, '/tokenize', { prompt: 'a' })).status).toBe(404);
    expect(server.counters.received).toBe(1);
  });

  it('rules for one endpoint leave the others alone', async () => {
    const server = await start({
      rules: [{ do: 'status', status: 500, when: { endpoints: ['embeddings'] } }],
    });
    expect((await ask(server, 'x')).status).toBe(200);
    expect((await post(server, 'embeddings', { input: 'x' })).status).toBe(500);
  });

  it('unknown paths and bodies that are no JSON', async () => {
    const server = await start({});
    expect((await post(server, 'nothing', {})).status).toBe(404);
    expect((await post(server, '/fake/nothing', {})).status).toBe(404);
    expect((await ask(server, 'x', {}, { body: '{' })).status).toBe(400);
    expect((await post(server, 'chat/completions', {})).json?.error?.param).toBe('messages');
  });
});
