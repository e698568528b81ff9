import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import {
  type ListeningProcess,
  runProcess,
  startListening,
  temporaryFolder,
} from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { askForLabel, createClient, type HttpClient, weightedScore } from '../../src/index.js';
import { llm, writeRows } from './llm-process.js';

// Another package of this repository, as a process: `@lab/llm` does not depend on it.
const other = fileURLToPath(new URL('../../../transformer', import.meta.url));
const tsx = ['--conditions=@lab/source', '--import', import.meta.resolve('tsx')];
const cache = temporaryFolder();

let server: ListeningProcess;
let baseUrl: string;
let client: HttpClient;
let streaming: HttpClient;

beforeAll(async () => {
  const folder = join(temporaryFolder(), 'reciting');
  const script = join(other, 'test/e2e/write-reciting-model.ts');
  const written = await runProcess(process.execPath, [...tsx, script, folder], { cwd: other });
  expect(written.code, written.stderr).toBe(0);
  const args = [join(other, 'bin/transformer.js'), 'serve', folder, '--port', '0'];
  server = await startListening(process.execPath, args, { env: { LAB_TENSOR_HOME: '/none' } });
  baseUrl = server.address;
  const capabilities = { tokenize: 'vllm', structured: 'json-schema' } as const;
  const options = {
    ...{ baseUrl, model: 'reciting', apiKey: 'none' },
    capabilities: { ...capabilities, topLogprobs: 20, embeddingWidth: 32, contextTokens: 8192 },
  };
  client = createClient(options);
  streaming = createClient({ ...options, isStreamed: true });
});
afterAll(async () => {
  await Promise.all([client?.close(), streaming?.close()]);
  await server?.close();
});

const messages = [{ role: 'user', content: 'How good is it?' }] as const;
const answer = '{"score":4}';

describe('the server of @lab/transformer', () => {
  it('chats, whole and streamed', async () => {
    const request = { messages, maxTokens: 20 };
    const [whole, streamed] = [await client.chat(request), await streaming.chat(request)];
    expect(whole).toMatchObject({ text: answer, finish: 'stop', servedModel: 'reciting' });
    expect(streamed).toMatchObject({ text: answer, finish: 'stop', usage: whole.usage });
    expect(whole.usage).toMatchObject({ completion: 4, isEstimated: false });
    expect(streamed.firstTokenMs).not.toBeNull();
    expect(client.adaptations).toEqual([]);
  });

  it('gives JSON once the client asks for its form in the prompt', async () => {
    const schema = z.object({ score: z.number() });
    const { json } = await client.json({ messages, maxTokens: 20 }, schema);
    expect(json).toEqual({ score: 4 });
    expect(client.structuredLevel).toBe('prompt');
  });

  it('counts tokens as it uses them', async () => {
    const { tokens, isExact } = await client.count(messages);
    const { usage } = await client.chat({ messages, maxTokens: 5 });
    expect([tokens, isExact]).toEqual([usage.prompt, true]);
  });

  it('embeds', async () => {
    const { width, values, usage } = await client.embed(['one', 'two', 'one']);
    expect([width, usage.isEstimated]).toEqual([32, false]);
    expect([...values.slice(0, 32)]).toEqual([...values.slice(64)]);
    expect([...values.slice(0, 32)]).not.toEqual([...values.slice(32, 64)]);
  });

  it('tells how likely labels are', async () => {
    const request = { messages, maxTokens: 20 };
    const { distribution } = await askForLabel(client, request, ['3', '4']);
    expect(distribution!.source).toBe('logprobs');
    expect(distribution!.probabilities['4']).toBeGreaterThan(0.6);
    expect(distribution!.probabilities['3']).toBeGreaterThan(0.05);
    const told = await client.chat({ ...request, topLogprobs: 20 });
    const { score } = weightedScore(told.logprobs!, [1, 2, 3, 4, 5])!;
    expect(score).toBeGreaterThan(3.5);
    expect(score).toBeLessThan(4);
  });

  it('answers the openai SDK', async () => {
    const theirs = new OpenAI({ baseURL: baseUrl, apiKey: 'none', maxRetries: 0 });
    const body = { model: 'reciting', messages: [...messages], temperature: 0, max_tokens: 20 };
    const options = { stream: true, stream_options: { include_usage: true } } as const;
    let text = '';
    let used = 0;
    for await (const chunk of await theirs.chat.completions.create({ ...body, ...options })) {
      text += chunk.choices[0]?.delta.content ?? '';
      used = chunk.usage?.completion_tokens ?? used;
    }
    expect([text, used]).toEqual([answer, 4]);
    const own = await client.embed(['one', 'two']);
    // It asks for base64.
    const { data } = await theirs.embeddings.create({ model: 'reciting', input: ['one', 'two'] });
    const values = data.flatMap(({ embedding }) => embedding);
    for (const [at, value] of values.entries()) expect(value).toBeCloseTo(own.values[at]!, 5);
    const asked = theirs.chat.completions.create({ ...body, tools: [{}] as never });
    await expect(asked).rejects.toMatchObject({ status: 400, param: 'tools' });
    expect((await theirs.models.list()).data.map(({ id }) => id)).toEqual(['reciting']);
  });

  it('refuses what does not fit as a length', async () => {
    const asked = client.chat({ messages, maxTokens: 9000 });
    await expect(asked).rejects.toMatchObject({ kind: 'context-length' });
  });

  it('passes llm doctor', async () => {
    const args = ['doctor', '--base-url', baseUrl, '--long-tokens', '1000', '--json'];
    const { code, stdout, stderr } = await llm(args, { env: { LAB_CACHE: cache } });
    expect(code, stderr).toBe(0);
    const { capabilities, findings } = JSON.parse(stdout) as Record<string, unknown>;
    expect(capabilities).toEqual({
      ...{ structured: 'prompt', topLogprobs: 20, tokenize: 'vllm' },
      ...{ embeddingWidth: 32, contextTokens: 8192 },
    });
    const states = (findings as { probe: string; state: string }[]).map((one) => [
      one.probe,
      one.state,
    ]);
    expect(Object.fromEntries(states)).toEqual({
      ...{ plain: 'yes', logprobs: 'yes', tokenize: 'yes', embeddings: 'yes' },
      // It reads all, and repeats nothing.
      ...{ 'JSON schema': 'no', 'long prompt': 'partly' },
    });
  });

  it('answers 20 rows of llm run', async () => {
    const { data, prompt } = writeRows(20);
    const out = join(temporaryFolder(), 'run');
    const server = ['--base-url', baseUrl, '--model', 'reciting'];
    const args = ['run', '--data', data, '--prompt', prompt, ...server, '--out', out];
    const { code, stderr } = await llm(args, { env: { LAB_CACHE: cache } });
    expect(code, stderr).toBe(0);
    const lines = readFileSync(join(out, 'predictions.jsonl'), 'utf8').trim().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as { status: string; output: unknown });
    expect(rows).toHaveLength(20);
    for (const { output } of rows) expect(JSON.stringify(output)).toContain('score');
  });
});
