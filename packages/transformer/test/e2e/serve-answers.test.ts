import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ContinuationOptions, fastChatText, generate, hiddenStates } from '../../src/index.js';
import { ask, post, postStream, serveFolder, writeSmallModel } from './serve-setup.js';

type Served = Awaited<ReturnType<typeof serveFolder>>;
let small: Served;
let chats: string;
let texts: string;

beforeAll(async () => {
  small = await serveFolder(await writeSmallModel(), { now: () => new Date(1.7e12) });
  chats = `${small.url}/chat/completions`;
  texts = `${small.url}/completions`;
});
afterAll(() => small.server.close());

/** The text of one prompt alone, by the library. */
async function alone(prompt: number[], options: ContinuationOptions) {
  const { model, tokenizer } = small;
  const [result] = await generate(model, [prompt], { tokenizer, ...options });
  return result!;
}

const chatPrompt = (content: string) =>
  small.tokenizer.encode(small.tokenizer.chat.render([{ role: 'user', content }]), {
    addSpecialTokens: false,
  });

const settings = [
  ['greedy', { temperature: 0 }, { temperature: 0 }],
  [
    'drawn with a seed',
    { temperature: 0.9, top_p: 0.8, top_k: 40, seed: 7 },
    { temperature: 0.9, topP: 0.8, topK: 40, seed: 7 },
  ],
] as const;

describe.each(settings)('answers, %s', (_, fields, options) => {
  const questions = Array.from({ length: 8 }, (_, at) => `Question ${at}: ${'why '.repeat(at)}?`);
  const body = (content: string) => ask(content, { ...fields, max_tokens: 12 });

  it('are those of the library alone, one by one and eight together', async () => {
    const wanted = [];
    for (const content of questions) {
      wanted.push((await alone(chatPrompt(content), { ...options, maxNewTokens: 12 })).text);
    }
    expect(new Set(wanted).size).toBeGreaterThan(4);
    const textOf = async (content: string) =>
      (await post(chats, body(content))).body.choices[0]!.message.content;
    expect(await Promise.all(questions.map(textOf))).toEqual(wanted);
    expect(await textOf(questions[3]!)).toBe(wanted[3]);
  });

  it('are the same as a stream', async () => {
    const request = { ...body('Stream it'), logprobs: true, top_logprobs: 2, n: 2 };
    const { body: whole } = await post(chats, request);
    const told = whole.choices.map(() => ({
      text: '',
      tokens: [] as unknown[],
      finish: null as string | null,
    }));
    let usage;
    const events = postStream(chats, { ...request, stream_options: { include_usage: true } });
    for await (const event of events) {
      usage = event.usage;
      expect([event.object, event.id.startsWith('chatcmpl-')]).toEqual([
        'chat.completion.chunk',
        true,
      ]);
      for (const { index, delta, logprobs, finish_reason: finish } of event.choices) {
        told[index]!.text += delta.content ?? '';
        told[index]!.tokens.push(...(logprobs?.content ?? []));
        told[index]!.finish = finish;
      }
    }
    expect(usage).toEqual(whole.usage);
    expect(told).toEqual(
      whole.choices.map(({ message, logprobs, finish_reason: finish }) => ({
        ...{ text: message.content, tokens: logprobs!.content, finish },
      })),
    );
  });
});

describe('a chat', () => {
  it('has ids, times, usage, and a reason to end', async () => {
    const { body } = await post(chats, ask('Hello', { temperature: 0, max_tokens: 3 }));
    const prompt = chatPrompt('Hello').length;
    expect(body).toMatchObject({
      ...{ object: 'chat.completion', created: 1.7e9, model: 'small' },
      choices: [{ index: 0, message: { role: 'assistant' }, logprobs: null }],
      usage: { prompt_tokens: prompt, completion_tokens: 3, total_tokens: prompt + 3 },
    });
    expect(body.choices[0]!.finish_reason).toBe('length');
    expect((await post(chats, ask('Hello'))).body.id).not.toBe(body.id);
  });

  it('tells tokens whose bytes make up the text, with what else was probable', async () => {
    const request = { temperature: 1, seed: 3, max_tokens: 40, logprobs: true, top_logprobs: 5 };
    const { body } = await post(chats, ask('Tell', request));
    const { message, logprobs } = body.choices[0]!;
    const own = await alone(chatPrompt('Tell'), {
      ...{ temperature: 1, seed: 3, maxNewTokens: 40, topLogprobs: 5 },
    });
    expect(logprobs!.content.map(({ logprob }) => logprob)).toEqual(
      own.events.map(({ logprob }) => logprob),
    );
    const bytes = Buffer.from(logprobs!.content.flatMap(({ bytes: some }) => some));
    expect(bytes.toString()).toBe(message.content);
    for (const { top_logprobs: top } of logprobs!.content) {
      expect(top.map(({ logprob }) => logprob)).toEqual(
        top.map(({ logprob }) => logprob).toSorted((a, b) => b - a),
      );
      expect(top).toHaveLength(5);
    }
  });

  it('ends before a stop text, whole and streamed, and tells none of its tokens', async () => {
    const request = { temperature: 1, seed: 5, max_tokens: 40, logprobs: true };
    const { body: long } = await post(chats, ask('Stop', request));
    const all = long.choices[0]!;
    const text = all.message.content;
    const stop = text.slice(10, 14);
    const stopped = ask('Stop', { ...request, stop: ['never there', stop] });
    const { body } = await post(chats, stopped);
    const [choice] = body.choices;
    expect(choice!.message.content).toBe(text.slice(0, text.indexOf(stop)));
    expect(choice!.finish_reason).toBe('stop');
    expect(body.usage['completion_tokens']).toBeLessThan(40);
    expect(choice!.logprobs!.content).toEqual(
      all.logprobs!.content.slice(0, choice!.logprobs!.content.length),
    );
    let streamed = '';
    const tokens = [];
    for await (const event of postStream(chats, stopped)) {
      streamed += event.choices[0]!.delta.content ?? '';
      tokens.push(...(event.choices[0]!.logprobs?.content ?? []));
    }
    expect(streamed).toBe(choice!.message.content);
    expect(tokens).toEqual(choice!.logprobs!.content);
  });

  it('draws anew without a seed, and each of n for itself', async () => {
    const request = { ...ask('Draw', { max_tokens: 12, logprobs: true }), n: 3 };
    const [one, two] = [await post(chats, request), await post(chats, request)];
    const all = [one, two].flatMap(({ body }) =>
      body.choices.map(({ message }) => message.content),
    );
    expect(new Set(all).size).toBe(6);
    // A draw may meet the end token, which is counted but has no text.
    const drawn = one.body.choices.map(
      ({ logprobs, finish_reason: reason }) =>
        logprobs!.content.length + (reason === 'stop' ? 1 : 0),
    );
    expect(one.body.usage['completion_tokens']).toBe(drawn.reduce((sum, count) => sum + count));
  });

  it('draws the same without a seed where the server has one', async () => {
    const folder = await writeSmallModel();
    const drawn = [];
    for (const seed of [5, 5, 6]) {
      const other = await serveFolder(folder, { seed });
      const url = `${other.url}/chat/completions`;
      const request = { ...ask('Draw', { max_tokens: 8 }), n: 12 };
      const [one, two] = [await post(url, request), await post(url, request)];
      drawn.push(JSON.stringify([one.body.choices, two.body.choices]));
      expect(one.body.choices).not.toEqual(two.body.choices);
      await other.server.close();
    }
    expect([drawn[0] === drawn[1], drawn[0] === drawn[2]]).toEqual([true, false]);
  });

  it('takes parts of texts, the role of developers, and fields that change nothing', async () => {
    const plain = {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello you' },
      ],
      ...{ temperature: 0, max_tokens: 4 },
    };
    const other = {
      ...plain,
      messages: [
        { role: 'developer', content: 'Be brief.', tool_calls: null },
        { role: 'user', content: ['Hello ', 'you'].map((text) => ({ type: 'text', text })) },
      ],
      ...{ user: 'me', store: true, metadata: { a: 1 }, tools: [], logit_bias: {}, n: null },
      ...{ response_format: { type: 'text' }, presence_penalty: 0, stop: null, top_k: -1 },
    };
    const [one, two] = [await post(chats, plain), await post(chats, other)];
    expect(two.body.choices).toEqual(one.body.choices);
    expect(two.body.usage).toEqual(one.body.usage);
  });
});

describe('completions', () => {
  it('of several prompts, as texts and ids, with log-probabilities', async () => {
    const prompts = ['Once upon', 'The end of the'];
    const request = { temperature: 0, max_tokens: 6, logprobs: 2 };
    const { body } = await post(texts, { prompt: prompts, ...request });
    const ids = prompts.map((text) => small.tokenizer.encode(text));
    const { body: byIds } = await post(texts, { prompt: ids, ...request });
    expect(byIds.choices).toEqual(body.choices);
    expect(body.object).toBe('text_completion');
    for (const [at, prompt] of ids.entries()) {
      const { text, logprobs } = body.choices[at]!;
      const own = await alone(prompt, { maxNewTokens: 6, topLogprobs: 2 });
      expect(text).toBe(own.text);
      expect(logprobs!.token_logprobs).toEqual(own.events.map(({ logprob }) => logprob));
      // Greedy: the token is the most probable one.
      for (const [place, token] of logprobs!.tokens.entries()) {
        expect(Object.keys(logprobs!.top_logprobs[place]!)[0]).toBe(token);
      }
      expect(logprobs!.text_offset[0]).toBe(0);
    }
    expect(body.usage['prompt_tokens']).toBe(ids.flat().length);
  });

  it('as a stream', async () => {
    const request = { prompt: 'Once upon', temperature: 0, max_tokens: 6 };
    const { body } = await post(texts, request);
    let text = '';
    for await (const event of postStream(texts, request)) text += event.choices[0]!.text;
    expect(text).toBe(body.choices[0]!.text);
    expect((await post(texts, { prompt: 'Once' })).body.usage['completion_tokens']).toBe(16);
  });
});

describe('embeddings', () => {
  const input = ['one', 'a much longer text than that', 'two'];

  it.each(['mean', 'last'] as const)('are states of length one: %s', async (pooling) => {
    const other = await serveFolder(await writeSmallModel(), { pooling });
    const { body } = await post(`${other.url}/embeddings`, { input });
    for (const [at, text] of input.entries()) {
      const row = other.tokenizer.encode(text);
      let states = new Float32Array();
      for await (const { layer, data } of hiddenStates(other.model, [{ ids: [row] }])) {
        if (layer === 2) states = Float32Array.from(data);
      }
      const rows = Array.from({ length: row.length }, (_, t) => states.slice(32 * t, 32 * t + 32));
      const used = pooling === 'last' ? rows.slice(-1) : rows;
      const sum = Array.from({ length: 32 }, (_, d) => used.reduce((all, h) => all + h[d]!, 0));
      const length = Math.hypot(...sum);
      const { embedding, index } = body.data[at]!;
      expect(index).toBe(at);
      expect(embedding).toBeClose(
        sum.map((value) => value / length),
        { atol: 1e-5, rtol: 1e-4 },
      );
    }
    expect(body.usage['prompt_tokens']).toBe(
      input.reduce((all, text) => all + other.tokenizer.encode(text).length, 0),
    );
    await other.server.close();
  });

  it('come in base64, too', async () => {
    const url = `${small.url}/embeddings`;
    const { body } = await post(url, { input: input[0] });
    const coded = await post(url, { input: input[0], encoding_format: 'base64' });
    const bytes = Buffer.from(String(coded.body.data[0]!.embedding), 'base64');
    const values = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
    expect(values).toEqual(body.data[0]!.embedding);
  });
});

describe('what else is asked', () => {
  it('models, one model, health', async () => {
    const get = async (url: string) => (await fetch(url)).json();
    const card = { id: 'small', object: 'model', max_model_len: 1024 };
    expect(await get(`${small.url}/models`)).toMatchObject({ object: 'list', data: [card] });
    expect(await get(`${small.url}/models/small?x=1`)).toMatchObject(card);
    expect(await get(`${small.root}/health`)).toMatchObject({ status: 'ok', running: 0 });
  });

  it('tokens, as vLLM and llama.cpp are asked', async () => {
    const url = `${small.root}/tokenize`;
    const chat = await post(url, ask('Hello', { model: 'small' }));
    expect(chat.body).toMatchObject({ tokens: chatPrompt('Hello'), max_model_len: 1024 });
    expect(chat.body.count).toBe(chat.body.tokens.length);
    const tokens = small.tokenizer.encode('Hello you');
    expect((await post(url, { prompt: 'Hello you' })).body.tokens).toEqual(tokens);
    expect((await post(url, { content: 'Hello you' })).body.tokens).toEqual(tokens);
  });

  it('chats of a model without template: what to do, or a format of FastChat', async () => {
    const folder = await writeSmallModel({ tokenizer: 'gpt-neox' });
    const plain = await serveFolder(folder);
    const refused = await post(`${plain.url}/chat/completions`, ask('Hello'));
    expect([refused.status, refused.body.error.code]).toEqual([400, 'no_chat_template']);
    expect(refused.body.error.message).toContain('--chat-format');
    await plain.server.close();
    const formatted = await serveFolder(folder, { chatFormat: 'vicuna_v1.1' });
    const counted = await post(`${formatted.root}/tokenize`, ask('Hello'));
    const text = fastChatText('vicuna_v1.1', [{ role: 'user', content: 'Hello' }]);
    expect(counted.body.tokens).toEqual(formatted.tokenizer.encode(text));
    const answer = await post(`${formatted.url}/chat/completions`, ask('Hello', { max_tokens: 2 }));
    expect(answer.body.usage['prompt_tokens']).toBe(counted.body.count);
    await formatted.server.close();
  });

  it.each(['llama2', 'mistral', 'gemma', 'llama3'])(
    'one begin token in chats of %s',
    async (name) => {
      const other = await serveFolder(await writeSmallModel({ tokenizer: name }), {
        ...(name === 'llama2' && { chatFormat: 'llama-2' }),
      });
      const { body } = await post(`${other.root}/tokenize`, ask('Hello'));
      const { beginId } = other.tokenizer;
      expect(beginId).not.toBeNull();
      expect(body.tokens[0]).toBe(beginId);
      expect(body.tokens[1]).not.toBe(beginId);
      await other.server.close();
    },
  );
});
