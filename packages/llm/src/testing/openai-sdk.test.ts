import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeServer, startFakeServer } from '../testing.js';

describe('the misbehaving server and the openai SDK', () => {
  let server: FakeServer;
  let client: OpenAI;

  beforeAll(async () => {
    server = await startFakeServer({
      script: {
        rules: [{ do: 'status', status: 500, when: { contains: 'fails' } }, { do: 'echo' }],
      },
    });
    client = new OpenAI({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
  });

  afterAll(() => server.close());

  const messages = [{ role: 'user' as const, content: 'say it again' }];

  it('answers', async () => {
    const answer = await client.chat.completions.create({ model: 'm', messages });
    expect(answer.choices[0]?.message.content).toBe('say it again');
    expect(answer.usage?.total_tokens).toBe(12);
  });

  it('streams, with usage', async () => {
    const stream = await client.chat.completions.create({
      model: 'm',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let total: number | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      total = chunk.usage?.total_tokens ?? total;
    }
    expect([text, total]).toEqual(['say it again', 12]);
  });

  it('gives log probabilities, embeddings and models', async () => {
    const answer = await client.chat.completions.create({
      model: 'm',
      messages,
      logprobs: true,
      top_logprobs: 20,
    });
    expect(answer.choices[0]?.logprobs?.content?.[0]?.top_logprobs).toHaveLength(20);
    const embeddings = await client.embeddings.create({ model: 'm', input: ['a', 'b'] });
    expect(embeddings.data.map((row) => row.embedding.length)).toEqual([64, 64]);
    const [one] = embeddings.data[0]?.embedding ?? [];
    expect(Math.abs(one ?? 2)).toBeLessThan(1);
    expect((await client.models.list()).data.map((model) => model.id)).toEqual(['fake-model']);
  });

  it('fails as the SDK knows it', async () => {
    const failing = client.chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'this fails' }],
    });
    await expect(failing).rejects.toBeInstanceOf(OpenAI.InternalServerError);
  });
});
