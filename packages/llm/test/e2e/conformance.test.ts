import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../src/chat.js';
import { createClient, type HttpClient } from '../../src/index.js';
import { type FakeServer, startFakeServer } from '../../src/testing.js';

/** The same questions to the same server, by the official SDK and by us. */
describe.each([false, true])('beside the openai SDK, streamed: %s', (isStreamed) => {
  let server: FakeServer;
  let ours: HttpClient;
  let theirs: OpenAI;

  beforeAll(async () => {
    server = await startFakeServer({
      script: {
        rules: [
          { do: 'text', text: 'Grün, 蓝 and 😀.', when: { contains: 'unicode' } },
          { do: 'length', keepShare: 0.3, when: { contains: 'cut' } },
          { do: 'words', count: 60 },
          { do: 'cached-tokens', tokens: 3 },
        ],
      },
    });
    ours = createClient({ baseUrl: server.url, model: 'fake-model', isStreamed, apiKey: 'none' });
    theirs = new OpenAI({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
  });

  afterAll(async () => {
    await ours.close();
    await server.close();
  });

  interface Answer {
    text: string;
    finish: string | null;
    tokens: string[];
    logprobs: number[];
    tops: number[];
    usage: (number | undefined)[];
  }

  async function askTheirs(request: ChatRequest): Promise<Answer> {
    const body = {
      model: 'fake-model',
      messages: request.messages as OpenAI.ChatCompletionMessageParam[],
      ...{ temperature: 0, top_p: 1, max_tokens: request.maxTokens ?? 1024 },
      ...(request.seed === undefined ? {} : { seed: request.seed }),
      ...(request.stop === undefined ? {} : { stop: [...request.stop] }),
      ...(request.topLogprobs === undefined
        ? {}
        : { logprobs: true, top_logprobs: request.topLogprobs }),
    };
    const answer: Answer = {
      text: '',
      finish: null,
      tokens: [],
      logprobs: [],
      tops: [],
      usage: [],
    };
    const take = (
      text: string | null | undefined,
      choice: {
        finish_reason: string | null;
        logprobs?: OpenAI.ChatCompletion.Choice.Logprobs | null;
      },
    ): void => {
      answer.text += text ?? '';
      answer.finish = choice.finish_reason ?? answer.finish;
      for (const token of choice.logprobs?.content ?? []) {
        answer.tokens.push(token.token);
        answer.logprobs.push(token.logprob);
        answer.tops.push(token.top_logprobs.length);
      }
    };
    const use = (usage: OpenAI.CompletionUsage | null | undefined): void => {
      if (usage == null) return;
      const cached = usage.prompt_tokens_details?.cached_tokens;
      answer.usage = [usage.prompt_tokens, usage.completion_tokens, cached];
    };
    if (isStreamed) {
      const options = { stream: true, stream_options: { include_usage: true } } as const;
      for await (const chunk of await theirs.chat.completions.create({ ...body, ...options })) {
        for (const choice of chunk.choices) take(choice.delta.content, choice);
        use(chunk.usage);
      }
    } else {
      const whole = await theirs.chat.completions.create(body);
      for (const choice of whole.choices) take(choice.message.content, choice);
      use(whole.usage);
    }
    return answer;
  }

  async function askOurs(request: ChatRequest): Promise<Answer> {
    const { text, finish, logprobs, usage } = await ours.chat(request);
    return {
      ...{ text, finish },
      tokens: logprobs?.map(({ token }) => token) ?? [],
      logprobs: logprobs?.map(({ logprob }) => logprob) ?? [],
      tops: logprobs?.map(({ top }) => top.length) ?? [],
      usage: [usage.prompt, usage.completion, usage.cached],
    };
  }

  it.each<[string, Partial<ChatRequest>]>([
    ['plain', {}],
    ['unicode', { topLogprobs: 3 }],
    ['cut', {}],
    ['short', { maxTokens: 5, topLogprobs: 20 }],
    ['seeded', { seed: 7, stop: ['never'], topLogprobs: 0 }],
  ])('gives the same: %s', async (content, more) => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content },
    ] as const;
    const request = { messages, ...more };
    const [mine, other] = [await askOurs(request), await askTheirs(request)];
    expect(mine).toEqual(other);
    expect(mine.text).not.toBe('');
    expect(mine.tokens.length > 0).toBe(more.topLogprobs !== undefined);
  });

  it('gives the same embeddings, up to their length', async () => {
    const texts = ['one', 'two', 'three'];
    const { width, values } = await ours.embed(texts);
    const { data } = await theirs.embeddings.create({ model: 'fake-model', input: texts });
    for (const { index, embedding } of data) {
      const length = Math.hypot(...embedding);
      for (let at = 0; at < width; at += 1) {
        expect(values[index * width + at]).toBeCloseTo(embedding[at]! / length, 5);
      }
    }
  });

  it('sends the same', async () => {
    server.reset();
    const request: ChatRequest = { messages: [{ role: 'user', content: 'same' }], seed: 1 };
    await askOurs(request);
    await askTheirs(request);
    const [mine, other] = server.requests().map(({ body }) => body);
    expect(mine).toEqual(other);
  });
});
