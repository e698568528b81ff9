import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { batchLine, exportBatch, readBatchMessages } from './batch.js';
import { type BatchFailure, importBatch } from './batch-import.js';
import { createMemoryStore } from './cache/memory-store.js';
import type { ChatRequest } from './chat.js';
import { createClient } from './client.js';
import { requestHash } from './request-hash.js';
import { answerBatch, type FakeScript, startFakeServer } from './testing.js';

const context = { server: 'http://localhost:8000/v1', model: 'tiny' };

const ask = (content: string, rest: Partial<ChatRequest> = {}): ChatRequest => ({
  messages: [{ role: 'user', content }],
  ...rest,
});

const questions = (count: number): ChatRequest[] =>
  Array.from({ length: count }, (_, index) => ask(`question ${index}`));

async function answered(requests: ChatRequest[], script: FakeScript = {}) {
  const out = temporaryFolder();
  const { files } = await exportBatch(requests, { ...context, out });
  const { output, errors } = answerBatch(files.map((path) => readFileSync(path, 'utf8')).join(''), {
    script,
  });
  const outputPath = join(out, 'output.jsonl');
  const errorPath = join(out, 'errors.jsonl');
  writeFileSync(outputPath, output);
  writeFileSync(errorPath, errors);
  return { files, paths: [outputPath, errorPath], out };
}

describe('exportBatch', () => {
  it('writes one request a line, named by its hash', async () => {
    const request = ask('hello', { seed: 7, stop: ['\n'], extra: { top_k: 5 } });
    const line = batchLine(request, context);
    expect(JSON.parse(line)).toEqual({
      custom_id: requestHash(request, context),
      method: 'POST',
      url: '/v1/chat/completions',
      body: {
        model: 'tiny',
        messages: [{ role: 'user', content: 'hello' }],
        temperature: 0,
        top_p: 1,
        max_tokens: 1024,
        stop: ['\n'],
        seed: 7,
        top_k: 5,
      },
    });
    expect(line).toMatch(/^\{"custom_id":"[0-9a-f]{64}","method":"POST",/u);
  });

  it('leaves out what is doubled or has an answer, and keeps files within limits', async () => {
    const store = createMemoryStore();
    const [first] = questions(1) as [ChatRequest];
    await store.put({ hash: requestHash(first, context) } as never);
    const out = temporaryFolder();
    const requests = [...questions(6), ...questions(3)];
    const made = await exportBatch(requests, { ...context, out, store, maxRequests: 2 });
    expect(made).toMatchObject({ written: 5, known: 1, doubled: 3 });
    expect(made.files.map((path) => readFileSync(path, 'utf8').split('\n').length - 1)).toEqual([
      2, 2, 1,
    ]);
    const small = await exportBatch(questions(6), {
      ...context,
      out: temporaryFolder(),
      maxBytes: 600,
    });
    for (const path of small.files) expect(readFileSync(path).length).toBeLessThanOrEqual(600);
    expect(small.files.length).toBeGreaterThan(1);
    await expect(
      exportBatch(questions(1), { ...context, out: temporaryFolder(), maxBytes: 20 }),
    ).rejects.toThrow(/more than a whole file/u);
  });

  it('writes no file where nothing is to be asked', async () => {
    expect(await exportBatch([], { ...context, out: temporaryFolder() })).toEqual({
      files: [],
      written: 0,
      known: 0,
      doubled: 0,
    });
  });
});

describe('importBatch', () => {
  it('fills the store, so that a client asks nothing', async () => {
    const requests = questions(30);
    const { files, paths } = await answered(requests);
    const store = createMemoryStore();
    const messages = await readBatchMessages(files);
    expect(await importBatch(paths, { store, messages })).toEqual({
      imported: 30,
      known: 0,
      failed: 0,
      foreign: 0,
      missing: 0,
    });
    expect(await importBatch(paths, { store })).toMatchObject({ imported: 0, known: 30 });
    const server = await startFakeServer();
    const options = { baseUrl: server.url, model: 'tiny', cache: store, alias: context.server };
    const client = createClient(options);
    const live = createClient({ ...options, cacheMode: 'off' });
    for (const request of requests.slice(0, 3)) {
      const found = await client.chat(request);
      expect(found).toMatchObject({ isCached: true, attempts: 0, servedModel: 'tiny' });
      expect(server.counters.received).toBe(0);
      const { text, usage, finish } = await live.chat(request);
      expect({ text: found.text, usage: found.usage, finish: found.finish }).toEqual({
        text,
        usage,
        finish,
      });
      server.reset();
    }
    await client.close();
    await live.close();
    await server.close();
  });

  it('keeps failures apart, by kind', async () => {
    const script: FakeScript = {
      rules: [
        { do: 'status', status: 500, when: { contains: 'question 1.' } },
        { do: 'refusal', when: { contains: 'question 2.' } },
        { do: 'content-filter', when: { contains: 'question 3.' } },
        { do: 'context-length', when: { contains: 'question 4.' } },
        { do: 'hang', when: { contains: 'question 5.' } },
        { do: 'broken-json', when: { contains: 'question 6.' } },
        { do: 'empty', when: { contains: 'question 7.' } },
        { do: 'length', when: { contains: 'question 8.' } },
        { do: 'no-usage', when: { contains: 'question 9.' } },
      ],
    };
    const requests = Array.from({ length: 10 }, (_, index) => ask(`question ${index}.`));
    const { files, paths } = await answered(requests, script);
    const store = createMemoryStore();
    const failures = new Map<string, BatchFailure>();
    const messages = await readBatchMessages(files);
    const summary = await importBatch(paths, {
      store,
      messages,
      onFailure: (failure) => failures.set(failure.hash, failure),
    });
    expect(summary).toEqual({ imported: 3, known: 0, failed: 7, foreign: 0, missing: 0 });
    const of = (index: number) =>
      failures.get(requestHash(requests[index] as ChatRequest, context));
    expect([1, 2, 3, 4, 5, 6, 7].map((index) => of(index)?.kind)).toEqual([
      'server',
      'refusal',
      'content-filter',
      'context-length',
      'server',
      'server',
      'server',
    ]);
    expect(of(1)).toMatchObject({ httpStatus: 500, body: expect.stringContaining('error') });
    expect(of(5)?.message).toContain('batch_expired');
    const short = await store.get(requestHash(requests[8] as ChatRequest, context));
    expect(short?.finish).toBe('length');
    const uncounted = await store.get(requestHash(requests[9] as ChatRequest, context));
    expect(uncounted?.usage).toMatchObject({ isEstimated: true, prompt: 11 });
  });

  it('sees cut prompts, foreign lines and missing ones', async () => {
    const long = ask('word '.repeat(2000));
    const { files, out } = await answered([...questions(3), long]);
    const other = await answered([ask('other')]);
    const messages = await readBatchMessages(files);
    const { output } = answerBatch(readFileSync(files[0] ?? '', 'utf8'), {
      script: { rules: [{ do: 'truncate', tokens: 500 }] },
    });
    const lines = output
      .split('\n')
      .filter((line) => !line.includes(requestHash(ask('question 1'), context)));
    const path = join(out, 'cut.jsonl');
    writeFileSync(path, lines.join('\n'));
    const failures: BatchFailure[] = [];
    const store = createMemoryStore();
    const summary = await importBatch([path, ...other.paths], {
      store,
      messages,
      onFailure: (failure) => failures.push(failure),
    });
    expect(summary).toEqual({ imported: 2, known: 0, failed: 1, foreign: 1, missing: 1 });
    expect(failures).toEqual([
      expect.objectContaining({ hash: requestHash(long, context), kind: 'truncated' }),
    ]);
  });

  it('reads what vLLM writes, and errors without a response', async () => {
    const path = join(temporaryFolder(), 'vllm.jsonl');
    const body = {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      model: 'tiny-7b',
      choices: [
        { index: 0, message: { role: 'assistant', reasoning_content: 'hm', content: 'yes' } },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    };
    const lines = [
      {
        id: 'vllm-1',
        custom_id: 'a',
        response: { status_code: 200, request_id: 'r', body },
        error: null,
      },
      { id: 'vllm-2', custom_id: 'b', response: null, error: null },
      {
        id: 'vllm-3',
        custom_id: 'c',
        response: null,
        error: { code: 'x', message: 'sk-abcdefghijklmnop' },
      },
    ];
    writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n`);
    const store = createMemoryStore();
    const failures: BatchFailure[] = [];
    const importing = importBatch([path], {
      store,
      onFailure: (failure) => failures.push(failure),
    });
    await expect(importing).rejects.toThrow(/line 2: not an answer of a batch/u);
    expect(await store.get('a')).toMatchObject({
      text: 'yes',
      reasoning: 'hm',
      servedModel: 'tiny-7b',
    });
    const long = "This model's maximum context length is 512 tokens.";
    const refused = { status_code: 400, request_id: 'r', body: null };
    const others = [
      lines[2],
      { id: 'vllm-4', custom_id: 'd', response: refused, error: long },
      { id: 'vllm-5', custom_id: 'e', response: refused, error: { error: { message: long } } },
    ];
    writeFileSync(path, others.map((line) => JSON.stringify(line)).join('\n'));
    await importBatch([path], { store, onFailure: (failure) => failures.push(failure) });
    expect(failures.splice(1).map(({ kind, httpStatus }) => [kind, httpStatus])).toEqual([
      ['context-length', 400],
      ['context-length', 400],
    ]);
    expect(failures).toEqual([
      {
        hash: 'c',
        kind: 'server',
        httpStatus: null,
        message: expect.stringContaining('[redacted] (x)'),
      },
    ]);
  });

  it('refuses files that are no batch', async () => {
    const path = join(temporaryFolder(), 'x.jsonl');
    writeFileSync(path, '{"custom_id":"a","url":"/v1/embeddings","body":{"input":"x"}}\n');
    await expect(readBatchMessages([path])).rejects.toThrow(/line 1: not a request of a batch/u);
    writeFileSync(path, '{"custom_id": "a"');
    await expect(importBatch([path], { store: createMemoryStore() })).rejects.toThrow(/line 1/u);
  });
});
