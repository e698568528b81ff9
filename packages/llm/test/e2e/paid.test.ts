/** What is paid and brings nothing stands in the rows and in the sums, with its cost. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createPriceTable,
  type Prediction,
  type RowFailure,
  type RowsResult,
  type RowTiming,
  type RunRowsOptions,
  runRows,
} from '../../src/index.js';
import { type Rules, setStage } from './client-setup.js';

const stage = setStage();
const prices = createPriceTable({ date: '2026-08-01', models: { '*': { in: 3, out: 7 } } });
/** Of tokens in and out, by the list. */
const priceOf = (prompt: number, completion: number) => (3 * prompt + 7 * completion) / 1e6;

type Row = { readonly id: string };
type Step = RunRowsOptions<Row, unknown>['step'];
const chatStep: Step = async ({ id }, { client }) =>
  (await client.chat({ messages: [{ role: 'user', content: `the row ${id}` }] })).text;
const schema = z.object({ reason: z.string(), verdict: z.enum(['yes', 'no']) });
const jsonStep: Step = async ({ id }, { client }) => {
  const messages = [{ role: 'user', content: `the row ${id}` } as const];
  return (await client.json({ messages, maxTokens: 40 }, schema)).json;
};

interface Ended {
  readonly result: RowsResult;
  readonly rows: readonly Prediction[];
  readonly failures: readonly RowFailure[];
  readonly timings: readonly RowTiming[];
}

function linesOf<T>(dir: string, name: string): T[] {
  const path = join(dir, name);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}

/** A run of one row for each id, of which any number may fail. */
async function run(
  rules: Rules,
  ids: readonly string[],
  more: Partial<RunRowsOptions<Row, unknown>> = {},
): Promise<Ended> {
  const { client } = stage.play(rules, { prices });
  const dir = join(temporaryFolder(), 'run');
  const result = await runRows<Row, unknown>({
    rows: ids.map((id) => ({ id })),
    step: chatStep,
    client,
    out: dir,
    description: { method: 'llm', label: 'paid', config: {} },
    maxErrors: { share: 1 },
    ...more,
  });
  return {
    result,
    rows: linesOf(dir, 'predictions.jsonl'),
    failures: linesOf(dir, 'failures.jsonl'),
    timings: linesOf(dir, 'timings.jsonl'),
  };
}

/** The sums are what the server was paid for. */
function expectAllCounted({ result }: Ended): void {
  const { promptTokens, completionTokens } = stage.server.counters;
  expect(result.usage).toMatchObject({ promptTokens, completionTokens });
  expect(promptTokens).toBeGreaterThan(0);
  expect(result.usage.costUsd).toBeCloseTo(priceOf(promptTokens, completionTokens), 12);
  expect(readRunRecord(result.dir).usage).toMatchObject({ promptTokens, completionTokens });
}

describe('what is paid and brings nothing', () => {
  it('a refusal and a cut prompt: in the row', async () => {
    const ended = await run(
      [
        { do: 'refusal', when: { contains: 'refused' } },
        { do: 'truncate', tokens: 20, when: { contains: 'long' } },
      ],
      ['refused', `long ${'and longer '.repeat(400)}`, 'plain'],
    );
    expect(ended.rows.map(({ status }) => status)).toEqual(['refusal', 'truncated', 'ok']);
    for (const { usage, costUsd } of ended.rows) {
      expect(usage.prompt).toBeGreaterThan(0);
      expect(costUsd).toBeCloseTo(priceOf(usage.prompt, usage.completion), 12);
    }
    expectAllCounted(ended);
  });

  it('answers in JSON that never fit: in the row, all calls of it', async () => {
    const cut: Rules = [{ do: 'length', keepShare: 0.3, when: { contains: 'cut' } }];
    const ended = await run(
      [...cut, { do: 'text', text: 'no JSON at all' }],
      ['cut off', 'other'],
      { step: jsonStep },
    );
    expect(ended.rows.map(({ status }) => status)).toEqual(['truncated', 'parse']);
    expect(stage.server.counters.paid).toBe(4);
    for (const { usage, costUsd } of ended.rows) {
      expect(costUsd).toBeCloseTo(priceOf(usage.prompt, usage.completion), 12);
      expect(usage.completion).toBeGreaterThan(0);
    }
    expectAllCounted(ended);
  });

  it('empty answers: in the timings and the sums, as no prediction has them', async () => {
    const ended = await run(
      [
        { do: 'empty', when: { contains: 'never' } },
        { do: 'empty', when: { contains: 'once', times: 1 } },
      ],
      ['never', 'once', 'plain'],
    );
    expect(ended.failures.map(({ id }) => id)).toEqual(['never']);
    const [once, plain] = ended.rows;
    const prompt = plain?.usage.prompt ?? 0;
    expect(once?.usage.prompt).toBe(prompt);
    // Two requests for nothing, beside one for an answer; all prompts are of like length.
    const lost = (times: number) => [
      {
        usage: { prompt: times * prompt, completion: 0, cached: 0, reasoning: 0 },
        costUsd: expect.closeTo(priceOf(times * prompt, 0), 12) as number,
      },
    ];
    const found = Object.fromEntries(ended.timings.map((one) => [one.id, one.lost]));
    expect(found).toEqual({ never: lost(2), once: lost(1), plain: undefined });
    expectAllCounted(ended);
  });

  it('is counted once over a run and its resumption', async () => {
    const out = join(temporaryFolder(), 'resumed');
    const empty: Rules = [{ do: 'empty', when: { contains: 'never', times: 2 } }];
    const first = await run(empty, ['never', 'plain'], { out });
    expect(first.result.counts).toMatchObject({ finished: 1, failed: 1 });
    const second = await run(empty, ['never', 'plain'], { out, resume: true });
    expect(second.result.counts).toMatchObject({ finished: 2, failed: 0, skipped: 1 });
    expectAllCounted(second);
    const third = await run(empty, ['never', 'plain'], { out, resume: true });
    expect(third.result.counts).toMatchObject({ finished: 2, skipped: 2 });
    expectAllCounted(third);
  });

  it('counts towards budgets', async () => {
    const { client } = stage.play([{ do: 'empty' }], { prices });
    const out = join(temporaryFolder(), 'budget');
    const ids = Array.from({ length: 50 }, (_, index) => ({ id: `r${index}` }));
    const run = runRows<Row, unknown>({
      ...{ rows: ids, step: chatStep, client, out, concurrency: 1 },
      description: { method: 'llm', label: 'paid', config: {} },
      costOf: (usage, model) => prices.costUsd(model, usage),
      maxErrors: { share: 1 },
      budget: { maxTotalTokens: 1300 },
    });
    await expect(run).rejects.toThrow('budget reached');
    const { promptTokens } = stage.server.counters;
    expect(promptTokens).toBeGreaterThan(100);
    expect(promptTokens).toBeLessThanOrEqual(1300);
  });
});
