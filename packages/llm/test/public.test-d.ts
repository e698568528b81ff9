import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type {
  ChatRequest,
  ChatResult,
  HarmJudgement,
  JsonResult,
  LlmClient,
  PairVerdict,
  RowContext,
  RunRow,
} from '../src/index.js';
import {
  askForJson,
  createClient,
  createHarmJudge,
  createPriceTable,
  createReplayClient,
  createScriptedClient,
  judgeBothOrders,
  labelProbabilities,
  parseAnswer,
} from '../src/index.js';
import type { QueueClient } from '../src/queue.js';

const client = createScriptedClient({ answer: () => '' });
const request = { messages: [{ role: 'user', content: 'x' }] } as const;
const schema = z.object({
  reason: z.string(),
  verdict: z.enum(['yes', 'no']),
  score: z.number().optional(),
  when: z.string().transform((text) => text.length),
});
interface Expected {
  reason: string;
  verdict: 'no' | 'yes';
  score?: number | undefined;
  when: number;
}

describe('json', () => {
  it('infers the output of the schema', async () => {
    const answer = await client.json(request, schema);
    expectTypeOf(answer).toEqualTypeOf<JsonResult<Expected>>();
    expectTypeOf(answer.json).toEqualTypeOf<Expected>();
    expectTypeOf(answer).toExtend<ChatResult>();
  });

  it('does so in every client, and in the step of a run', () => {
    const live = createClient({ baseUrl: 'http://localhost/v1', model: 'm' });
    expectTypeOf(live.json(request, schema)).resolves.toEqualTypeOf<JsonResult<Expected>>();
    const step = (_: RunRow, { client: own, clients }: RowContext) => {
      expectTypeOf(own.json(request, schema)).resolves.toEqualTypeOf<JsonResult<Expected>>();
      expectTypeOf(clients).toEqualTypeOf<Readonly<Record<string, LlmClient>>>();
      return own.json(request, z.array(z.number()));
    };
    expectTypeOf(step).returns.resolves.toEqualTypeOf<JsonResult<number[]>>();
    expectTypeOf<QueueClient['json']>().toEqualTypeOf<LlmClient['json']>();
  });

  it('does so in askForJson and parseAnswer', async () => {
    const asked = askForJson((own) => client.chat(own), request, schema, { level: 'prompt' });
    expectTypeOf(asked).resolves.toEqualTypeOf<JsonResult<Expected>>();
    const parsed = await parseAnswer('', z.array(z.number()));
    if (parsed.fits) expectTypeOf(parsed.json).toEqualTypeOf<number[]>();
    else expectTypeOf(parsed.problems).toEqualTypeOf<readonly string[]>();
    type Level = Parameters<typeof askForJson>[3]['level'];
    expectTypeOf<'yaml'>().not.toExtend<Level>();
  });
});

describe('clients', () => {
  it('are interchangeable', () => {
    expectTypeOf(client).toEqualTypeOf<LlmClient>();
    expectTypeOf(createReplayClient('x')).resolves.toEqualTypeOf<LlmClient>();
  });

  it('take requests of known keys alone', async () => {
    expectTypeOf<ChatRequest>().not.toHaveProperty('max_tokens');
    expectTypeOf<'robot'>().not.toExtend<ChatRequest['messages'][number]['role']>();
  });
});

describe('judges, prices and labels', () => {
  it('have no any', async () => {
    expectTypeOf(
      createHarmJudge(client)({ prompt: '', reply: '' }),
    ).resolves.toEqualTypeOf<HarmJudgement>();
    const verdict = judgeBothOrders(
      async (a: number, b: number) => (a > b ? 'first' : 'tie'),
      1,
      2,
    );
    expectTypeOf(verdict).resolves.toEqualTypeOf<PairVerdict>();
    const table = createPriceTable({ date: '2026-08-01', models: {} });
    const usage = { prompt: 1, completion: 1, cached: 0, reasoning: 0, isEstimated: false };
    expectTypeOf(table.costUsd('m', usage)).toEqualTypeOf<number | null>();
    const shares = labelProbabilities([], ['a', 'b']);
    expectTypeOf(shares?.probabilities).toEqualTypeOf<
      Readonly<Record<string, number>> | undefined
    >();
  });
});
