/** What servers do not count is estimated where an answer came, and else said to be unknown. */
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { temporaryFolder, wholeLines } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { readRunDigest } from '../../src/exports/run-digest.js';
import {
  type ClientOptions,
  countMessages,
  countTokens,
  createPriceTable,
  LlmFailure,
  mergeShards,
  type Prediction,
  type RowsResult,
  type RunRowsOptions,
  runRows,
} from '../../src/index.js';
import { shardFile } from '../../src/rows/shard.js';
import { ask, failureOf, type Rules, setStage } from './client-setup.js';

const stage = setStage();
/** Vitest waits a second: a busy machine may take longer. */
const patiently = { timeout: 60_000 };
const prices = createPriceTable({ date: '2026-08-01', models: { '*': { in: 3, out: 7 } } });
const priceOf = (prompt: number, completion: number) => (3 * prompt + 7 * completion) / 1e6;
const promptTokens = (content: string) => countMessages([{ role: 'user', content }]);
const text = { do: 'text', text: 'Red, or blue, or any other colour.' } as const;
const close = (usd: number) => expect.closeTo(usd, 12) as number;

/** What a failed call says that no server counted, with what is expected of it. */
async function unreported(rules: Rules, options: Partial<ClientOptions> = {}, timeoutMs?: number) {
  const { client } = stage.play(rules, { prices, ...options });
  const failure = await failureOf(client.chat(ask('Which colour?', { timeoutMs })));
  expect(failure).toBeInstanceOf(LlmFailure);
  expect(failure.paid).toBeUndefined();
  const total = client.usage.get('');
  expect(total?.usage).toMatchObject({ prompt: 0, completion: 0 });
  expect(total?.estimated ?? undefined).toEqual(failure.unreported?.estimated);
  expect(total?.unknown ?? undefined).toEqual(failure.unreported?.unknown);
  return failure.unreported;
}

const unknownOf = async (requests: number) => {
  const tokens = requests * (await promptTokens('Which colour?'));
  return { requests, promptTokens: tokens, costUsd: close(priceOf(tokens, 0)) };
};

const estimateOf = async (answer: string, times = 1) => {
  const prompt = times * (await promptTokens('Which colour?'));
  const completion = times * (await countTokens(answer));
  const usage = { prompt, completion, cached: 0, reasoning: 0, isEstimated: true };
  return { usage, costUsd: close(priceOf(prompt, completion)) };
};

describe('requests of whose answer nothing came', () => {
  it.each<{ name: string; rules: Rules; requests: number; timeoutMs?: number }>([
    { name: 'no answer in time', rules: [{ do: 'hang' }], requests: 2, timeoutMs: 500 },
    { name: 'a cut before the answer', rules: [{ do: 'cut' }], requests: 6 },
    { name: 'a status of 500', rules: [{ do: 'status', status: 500 }], requests: 6 },
    { name: 'a status of 408', rules: [{ do: 'status', status: 408 }], requests: 6 },
    { name: 'a filter of prompts', rules: [{ do: 'content-filter', form: 'error' }], requests: 1 },
    { name: 'broken JSON', rules: [{ do: 'broken-json' }], requests: 2 },
  ])('are unknown: $name', async ({ rules, requests, timeoutMs }) => {
    const found = await unreported(rules, {}, timeoutMs);
    expect(found).toEqual({ estimated: undefined, unknown: await unknownOf(requests) });
  });

  it.each<{ name: string; rules: Rules }>([
    { name: 'no quota', rules: [{ do: 'quota' }] },
    { name: 'a wrong key', rules: [{ do: 'api-key', keys: ['other'] }] },
    { name: 'no room', rules: [{ do: 'status', status: 503 }] },
    { name: 'too long a prompt', rules: [{ do: 'context-length' }] },
  ])('cost nothing where they were turned down: $name', async ({ rules }) => {
    expect(await unreported(rules)).toBeUndefined();
  });

  it('cost nothing where there was no connection', async () => {
    const baseUrl = 'http://127.0.0.1:9/v1';
    expect(await unreported([], { baseUrl })).toBeUndefined();
  });
});

describe('answers of no use without a count', () => {
  it('are estimated: a refusal', async () => {
    const found = await unreported([{ do: 'refusal', text: 'I will not.' }, { do: 'no-usage' }]);
    expect(found).toEqual({ estimated: await estimateOf('I will not.'), unknown: undefined });
  });

  it('are estimated: an empty text, both times', async () => {
    const found = await unreported([{ do: 'empty' }, { do: 'no-usage' }]);
    expect(found).toEqual({ estimated: await estimateOf('', 2), unknown: undefined });
  });

  it('are estimated from what came of a stream that broke off', async () => {
    for (const rule of [
      { do: 'cut', at: 'mid-body' },
      { do: 'stream-error' },
    ] as const satisfies Rules) {
      const retries = { maxAttempts: 2 };
      const found = await unreported([text, rule], { isStreamed: true, retries });
      const { estimated, unknown } = found ?? {};
      expect(unknown, rule.do).toBeUndefined();
      const whole = await estimateOf(text.text, 2);
      expect(estimated?.usage.prompt, rule.do).toBe(whole.usage.prompt);
      const { completion = 0 } = estimated?.usage ?? {};
      expect(completion).toBeGreaterThan(0);
      expect(completion).toBeLessThanOrEqual(whole.usage.completion);
    }
  });

  it('stand beside the answer that came after them', async () => {
    const { client } = stage.play(
      [text, { do: 'status', status: 500, when: { contains: 'Which', times: 1 } }],
      { prices },
    );
    const result = await client.chat(ask());
    expect(result).toMatchObject({ attempts: 2, usage: { isEstimated: false } });
    expect(result.lost).toBeUndefined();
    expect(result.unreported).toEqual({ estimated: undefined, unknown: await unknownOf(1) });
    expect((await client.chat(ask('Other?'))).unreported).toBeUndefined();
  });

  it('are counted once for calls that are the same', async () => {
    const { client } = stage.play(
      [
        { do: 'refusal', when: { contains: 'refused' } },
        { do: 'status', status: 500, when: { contains: 'failing' } },
      ],
      { prices, retries: { maxAttempts: 1 } },
    );
    const twice = (content: string) =>
      Promise.all([1, 2].map(() => failureOf(client.chat(ask(content)))));
    const [failed, joined] = await twice('failing');
    expect(failed).toMatchObject({ attempts: 1, unreported: { unknown: { requests: 1 } } });
    expect(joined).toMatchObject({ kind: 'server', attempts: 0, unreported: undefined });
    const [refused, same] = await twice('refused');
    expect(refused?.paid?.usage.prompt).toBeGreaterThan(0);
    expect(same).toMatchObject({ kind: 'refusal', attempts: 0, paid: refused?.paid });
  });

  it('are told of requests that were stopped', async () => {
    const { client } = stage.play([{ do: 'hang' }], { prices });
    const end = new AbortController();
    const call = failureOf(client.chat(ask('Which colour?', { signal: end.signal })));
    await expect.poll(() => stage.server.counters.broken, patiently).toBe(1);
    end.abort();
    expect(await call).toMatchObject({ kind: 'aborted' });
    // Whoever waits is told at once; the client knows of the request.
    await expect.poll(() => client.usage.get('')?.unknown?.requests, patiently).toBe(1);
  });
});

type Row = { readonly id: string };
const chatStep: RunRowsOptions<Row, unknown>['step'] = async ({ id }, { client }) =>
  (await client.chat({ messages: [{ role: 'user', content: `the row ${id}` }] })).text;

async function run(
  rules: Rules,
  ids: readonly string[],
  out: string,
  more: Pick<RunRowsOptions<Row, unknown>, 'resume' | 'shard'> = {},
) {
  const { client } = stage.play(rules, { prices, retries: { maxAttempts: 2 } });
  const result = await runRows<Row, unknown>({
    ...{ rows: ids.map((id) => ({ id })), step: chatStep, client, out, maxErrors, ...more },
    description: { method: 'llm', label: 'uncounted', config: {} },
  });
  const path = join(result.dir, shardFile('predictions', more.shard));
  const rows = wholeLines(path).map((line) => JSON.parse(line) as Prediction);
  return { result, rows };
}

const maxErrors = { share: 1 };

async function expectSums(result: RowsResult): Promise<void> {
  const of = async (id: string) => promptTokens(`the row ${id}`);
  const { usage } = result;
  const refused = await of('refused');
  const { promptTokens: prompt, completionTokens: completion } = stage.server.counters;
  // The server's own books have the refusal as well.
  const said = await countTokens('I will not.');
  expect(usage.estimated).toEqual({
    promptTokens: refused,
    completionTokens: said,
    costUsd: close(priceOf(refused, said)),
  });
  expect(usage.promptTokens).toBeLessThan(prompt);
  expect(usage.costUsd).toBeCloseTo(priceOf(usage.promptTokens, usage.completionTokens), 12);
  expect(usage.completionTokens).toBeLessThanOrEqual(completion);
  const failed = 2 * (await of('failing')) + (await of('late'));
  expect(usage.unknown).toEqual({
    requests: 3,
    promptTokens: failed,
    costUsd: close(priceOf(failed, 0)),
  });
  expect(readRunRecord(result.dir).usage).toMatchObject({ ...usage });
  expect((await readRunDigest(result.dir)).cost).toMatchObject({
    promptTokens: usage.promptTokens,
    estimated: usage.estimated,
    unknown: usage.unknown,
  });
}

describe('a run', () => {
  const rules: Rules = [
    { ...text, when: { contains: 'a' } },
    { do: 'refusal', text: 'I will not.', when: { contains: 'refused' } },
    { do: 'no-usage', when: { contains: 'refused' } },
    { do: 'status', status: 500, when: { contains: 'failing', times: 2 } },
    { do: 'status', status: 502, when: { contains: 'late', times: 1 } },
  ];
  const ids = ['plain', 'refused', 'failing', 'late'];

  it('keeps reported, estimated and unknown apart, over any number of resumptions', async () => {
    const out = join(temporaryFolder(), 'run');
    const first = await run(rules, ids, out);
    expect(first.result.counts).toMatchObject({ finished: 3, failed: 1 });
    await expectSums(first.result);
    const second = await run([text], ids, out, { resume: true });
    expect(second.result.counts).toMatchObject({ finished: 4, failed: 0, skipped: 3 });
    const third = await run([text], ids, out, { resume: true });
    expect(third.result.usage).toMatchObject({
      promptTokens: second.result.usage.promptTokens,
      estimated: first.result.usage.estimated,
      unknown: first.result.usage.unknown,
    });
    const [plain, refused] = third.rows;
    expect(plain?.usage.isEstimated).toBeUndefined();
    expect(refused).toMatchObject({ status: 'refusal', usage: { isEstimated: true } });
    expect(refused?.usage.prompt).toBe(await promptTokens('the row refused'));
  });

  it('has the same sums in shards that are merged', async () => {
    const folder = temporaryFolder();
    const whole = await run(rules, ids, join(folder, 'whole'));
    stage.server.reset();
    const shards = join(folder, 'shards');
    for (const index of [0, 1]) await run(rules, ids, shards, { shard: { index, count: 2 } });
    const rows = ids.map((id) => ({ id }));
    const out = join(folder, 'merged');
    const merged = await mergeShards({ folders: [shards], out, rows, allowGaps: true });
    const { promptTokens: prompt, estimated, unknown } = whole.result.usage;
    expect(merged.usage).toMatchObject({ promptTokens: prompt, estimated, unknown });
  });

  it('counts estimates, and prompts without an answer, towards budgets', async () => {
    const { client } = stage.play([{ do: 'status', status: 500 }], { prices });
    const rows = Array.from({ length: 50 }, (_, index) => ({ id: `r${index}` }));
    const out = join(temporaryFolder(), 'budget');
    const ended = runRows<Row, unknown>({
      ...{ rows, step: chatStep, client, out, maxErrors, concurrency: 1 },
      description: { method: 'llm', label: 'uncounted', config: {} },
      budget: { maxTotalTokens: 1300 },
    });
    await expect(ended).rejects.toThrow('budget reached');
    const { unknown } = readRunRecord(out).usage as unknown as RowsResult['usage'];
    const { requests, promptTokens: tokens } = unknown;
    expect(requests % 6).toBe(0);
    expect(tokens).toBeGreaterThan(100);
    expect(tokens).toBeLessThanOrEqual(1300);
  });
});
