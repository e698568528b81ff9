import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ChatRequest } from '../../src/chat.js';
import { createClient } from '../../src/index.js';
import { startFakeServer } from '../../src/testing.js';
import { ask, failureOf, type Rules, setStage } from './client-setup.js';

const stage = setStage();

describe('createClient', () => {
  it('pays for equal requests at the same time once, and for samples each', async () => {
    const { client } = stage.play([{ do: 'latency', ms: 20 }]);
    const results = await Promise.all(Array.from({ length: 10 }, () => client.chat(ask('same'))));
    expect(stage.server.counters.paid).toBe(1);
    expect(results.filter(({ attempts }) => attempts === 1)).toHaveLength(1);
    expect(results.filter(({ isCached }) => isCached)).toHaveLength(9);
    stage.server.reset();
    const samples = await client.samples(ask('sample', { temperature: 1, seed: 5 }), 3);
    expect(samples.map(({ requestHash }) => requestHash)).toHaveLength(3);
    expect(new Set(samples.map(({ requestHash }) => requestHash)).size).toBe(3);
    const seeds = new Set(stage.server.requests().map(({ body }) => body['seed']));
    expect(seeds).toEqual(new Set([5, 6, 7]));
  });

  it('ends any number of calls by one signal, without a warning', async () => {
    const warnings: string[] = [];
    const note = (warning: Error): unknown => warnings.push(warning.message);
    process.on('warning', note);
    const { client } = stage.play([{ do: 'hang' }]);
    const controller = new AbortController();
    const { signal } = controller;
    const texts = Array.from({ length: 40 }, (_, index) => `question ${index}`);
    const calls = texts.map((text) => failureOf(client.chat(ask(text, { signal }))));
    calls.push(...texts.map((text) => failureOf(client.embed([text], { signal }))));
    setTimeout(() => controller.abort(), 50);
    const failures = await Promise.all(calls);
    expect(failures.every(({ kind }) => kind === 'aborted')).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('ends what is on its way when it is closed', async () => {
    const { client } = stage.play([{ do: 'hang' }]);
    const call = failureOf(client.chat(ask()));
    setTimeout(() => void client.close(), 50);
    expect(await call).toMatchObject({ kind: 'aborted' });
    expect(await failureOf(client.chat(ask('after')))).toMatchObject({ kind: 'aborted' });
  });

  it('sums usage by tag', async () => {
    const prices = { costUsd: () => 0.25 };
    const { client } = stage.play([{ do: 'status', status: 500, when: { times: 1 } }], { prices });
    await client.chat(ask('a', { tag: 'judge' }));
    await client.chat(ask('b', { tag: 'judge' }));
    await client.chat(ask('c'));
    expect(client.usage.get('judge')).toMatchObject({ calls: 2, requests: 4, costUsd: 0.5 });
    expect(client.usage.get('')).toMatchObject({ calls: 1, cachedCalls: 0 });
  });

  it('keeps secrets out of failures', async () => {
    const { port } = stage.server;
    const rule = {
      do: 'status',
      status: 401,
      message: 'Bad key sk-mine-1234 and hunter2!',
    } as const;
    const { client } = stage.play([rule], {
      ...{ apiKey: 'sk-mine-1234', baseUrl: `http://me:hunter2@127.0.0.1:${port}/v1` },
    });
    const failure = await failureOf(client.chat(ask()));
    const all = `${JSON.stringify(failure)} ${failure.stack} ${failure.message} ${failure.body}`;
    expect(all).not.toMatch(/hunter2|sk-mine/);
    expect(client.hashOf(ask())).toBe(
      createClient({ baseUrl: stage.server.url, model: 'fake-model' }).hashOf(ask()),
    );
  });

  it('makes embeddings in batches, in order, of length one', async () => {
    const { client } = stage.play([{ do: 'shuffle-embeddings' }]);
    const texts = Array.from({ length: 150 }, (_, index) => `text ${index}`);
    const { width, values, usage } = await client.embed(texts);
    expect([width, values.length, stage.server.counters.received]).toEqual([64, 150 * 64, 3]);
    const one = await client.embed(['text 149']);
    for (let at = 0; at < width; at += 1) {
      expect(values[149 * width + at]).toBeCloseTo(one.values[at]!, 6);
    }
    expect(Math.hypot(...values.slice(0, width))).toBeCloseTo(1, 5);
    expect(usage.prompt).toBeGreaterThan(150);
    expect((await client.embed([])).values).toHaveLength(0);
    const uneven = stage.play([{ do: 'uneven-embeddings' }]);
    expect(await failureOf(uneven.client.embed(texts))).toMatchObject({ kind: 'server' });
  });

  it('counts tokens by the server where it can', async () => {
    const { messages } = ask('one two three');
    const own = stage.play([]);
    expect(await own.client.count(messages)).toMatchObject({ isExact: false });
    const exact = stage.play([], { capabilities: { tokenize: 'vllm' } }, { tokenize: true });
    expect(await exact.client.count(messages)).toMatchObject({ isExact: true });
  });

  it('gives JSON, by weaker means where the server has no schemas', async () => {
    const schema = z.object({ colour: z.string() });
    const rules: Rules = [{ do: 'text', text: '{"colour": "blue"}' }];
    const strict = stage.play(rules);
    expect(await strict.client.json(ask(), schema)).toMatchObject({
      ...{ json: { colour: 'blue' }, origin: 'direct' },
    });
    expect(strict.client.structuredLevel).toBe('json-schema');
    const without = stage.play([{ do: 'no-json-schema' }, ...rules]);
    expect((await without.client.json(ask(), schema)).json).toEqual({ colour: 'blue' });
    expect(without.client.structuredLevel).toBe('json-object');
    await without.client.json(ask('Again?'), schema);
    expect(stage.server.counters.rejected).toBe(1);
  });

  it('goes to the next server when one fails', async () => {
    const other = await startFakeServer({ script: { rules: [{ do: 'status', status: 503 }] } });
    const { client } = stage.play([{ do: 'text', text: 'blue' }], {
      ...{ baseUrl: undefined, baseUrls: [stage.server.url, { url: other.url, weight: 2 }] },
    });
    const texts = Array.from({ length: 20 }, (_, index) => client.chat(ask(`question ${index}`)));
    expect(new Set((await Promise.all(texts)).map(({ text }) => text))).toEqual(new Set(['blue']));
    expect(other.counters.received).toBeGreaterThan(4);
    expect(stage.server.counters.paid).toBe(20);
    await other.close();
  });

  it('goes on with the others when one server is given up', async () => {
    const other = await startFakeServer({ script: { rules: [{ do: 'status', status: 503 }] } });
    const { client, events } = stage.play([{ do: 'text', text: 'blue' }], {
      ...{ baseUrl: undefined, baseUrls: [stage.server.url, other.url] },
    });
    for (let index = 0; index < 120; index += 1) {
      expect((await client.chat(ask(`question ${index}`))).text).toBe('blue');
    }
    expect(events.some(({ type }) => type === 'pause')).toBe(true);
    expect(other.counters.received).toBeLessThanOrEqual(60);
    await other.close();
  });

  it('gives up a server that only fails', async () => {
    const { client, clock } = stage.play([{ do: 'status', status: 503 }], { concurrency: 1 });
    const failures = [];
    for (let index = 0; index < 11; index += 1) {
      failures.push(await failureOf(client.chat(ask(`question ${index}`))));
    }
    expect(failures.map(({ endsRun }) => endsRun)).toEqual([...Array(10).fill(false), true]);
    expect(clock.waits.filter((wait) => wait > 40_000).length).toBeGreaterThanOrEqual(2);
    expect(stage.server.counters.received).toBe(60);
  });

  it('refuses requests that make no sense', async () => {
    const { client } = stage.play([]);
    const wrong: Partial<ChatRequest>[] = [
      ...[{ messages: [] }, { temperature: -1 }, { temperature: Number.NaN }, { topP: 0 }],
      ...[{ maxTokens: 0 }, { maxTokens: 1.5 }, { topLogprobs: -1 }, { sample: 0.5 }],
    ];
    for (const change of wrong) {
      expect(await failureOf(client.chat(ask('a', change)))).toMatchObject({ code: 'LAB_CONFIG' });
    }
    expect(stage.server.counters.received).toBe(0);
    for (const baseUrl of [undefined, 'localhost:1', 'ftp://a']) {
      expect(() => createClient({ baseUrl, model: 'm' })).toThrow('base URL');
    }
    expect(() => createClient({ baseUrl: stage.server.url, model: 'm', apiKey: 'a\nb' })).toThrow(
      'header',
    );
    expect(() => createClient({ baseUrl: stage.server.url, model: '' })).toThrow('model');
  });
});
