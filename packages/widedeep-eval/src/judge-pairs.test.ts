import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { createScriptedClient, type LlmClient, LlmFailure, mergeShards } from '@lab/llm';
import { describe, expect, test } from 'vitest';
import { configWith } from './__fixtures__/scripted-network.js';
import { compareRuns } from './compare-runs.js';
import { evaluateJudgements } from './evaluate.js';
import { judgedSample } from './judged-sample.js';
import { judgePairs, type JudgePairsOptions } from './judge-pairs.js';
import { eachPrediction, readJudgedSamples } from './read-run.js';
import { createSimulatedClient, simulatedSamples, simulationDefaults } from './simulate.js';

const simulation = { ...simulationDefaults, width: 3 };
const samples = simulatedSamples(12, simulation);
const config = configWith(['aggregation.tau=0.5']);
const run = (options: Partial<JudgePairsOptions> & { readonly out: string }) =>
  judgePairs({ samples, config, client: createSimulatedClient(simulation), ...options });
const bytes = (dir: string) => readFileSync(join(dir, 'predictions.jsonl'), 'utf8');
const folder = () => join(temporaryFolder(), 'run');

const undisturbed = folder();
const wholeRun = run({ out: undisturbed });

test('every sample has a judgement, in the order of the samples', async () => {
  const { counts } = await wholeRun;
  expect(counts).toMatchObject({ rows: 12, finished: 12, failed: 0, byStatus: { ok: 12 } });
  const found = await readJudgedSamples(undisturbed);
  expect(found.map(({ id }) => id)).toEqual(samples.map(({ id }) => id));
  expect(found.map(({ calls }) => calls)).toEqual(samples.map(() => 1 + 2 * 3 * 2));
});

test('calls and tokens are the sums over all calls', async () => {
  await wholeRun;
  let [calls, prompt, completion] = [0, 0, 0];
  const base = createSimulatedClient(simulation);
  const counting: LlmClient = {
    ...base,
    chat: async (request) => {
      const result = await base.chat(request);
      calls += 1;
      prompt += result.usage.prompt;
      completion += result.usage.completion;
      return result;
    },
  };
  const out = folder();
  const costOf = ({ prompt: i, completion: o }: { prompt: number; completion: number }) =>
    i * 1e-6 + o * 4e-6;
  const { usage } = await run({ out, client: counting, costOf });
  // No server counts the tokens of a simulation.
  const { estimated } = usage;
  expect([usage.sentCalls, estimated.promptTokens, estimated.completionTokens]).toEqual([
    calls,
    prompt,
    completion,
  ]);
  expect(estimated.costUsd).toBeCloseTo(prompt * 1e-6 + completion * 4e-6, 9);
  const { network } = evaluateJudgements(await readJudgedSamples(out), { resamples: 100 });
  expect([network.calls, network.tokens]).toEqual([calls, { in: prompt, out: completion }]);
});

describe('a run that was stopped', () => {
  test.each([1, 17, 40, 77, 120])('after %i calls goes on to the same bytes', async (after) => {
    await wholeRun;
    const out = folder();
    const stopping = new AbortController();
    const base = createSimulatedClient(simulation);
    let calls = 0;
    const client: LlmClient = {
      ...base,
      chat: (request) => {
        calls += 1;
        if (calls === after) stopping.abort();
        return base.chat(request);
      },
    };
    const stopped = run({ out, client, concurrency: 2, signal: stopping.signal });
    await expect(stopped).rejects.toBeInstanceOf(InterruptedError);
    await run({ out, resume: true });
    expect(bytes(out)).toBe(bytes(undisturbed));
    const metrics = async (dir: string) =>
      evaluateJudgements(await readJudgedSamples(dir), { resamples: 100 });
    expect(await metrics(out)).toEqual(await metrics(undisturbed));
  });

  test('pairs that failed for reasons of the server are asked again', async () => {
    await wholeRun;
    const out = folder();
    const base = createSimulatedClient(simulation);
    let calls = 0;
    const flaky: LlmClient = {
      ...base,
      chat: (request) => {
        calls += 1;
        if (calls % 20 !== 0) return base.chat(request);
        throw new LlmFailure('down', { kind: 'server', isRetryable: true, attempts: 1 });
      },
    };
    await expect(run({ out, client: flaky })).rejects.toThrow(/rows failed|row failed/);
    expect(existsSync(join(out, 'failures.jsonl'))).toBe(true);
    await run({ out, resume: true });
    expect(bytes(out)).toBe(bytes(undisturbed));
  });

  test('with other settings it is refused', async () => {
    const out = folder();
    await run({ out, samples: samples.slice(0, 2) });
    const other = configWith(['network.layers=1']);
    await expect(run({ out, resume: true, config: other })).rejects.toThrow(/another settings/);
  });
});

test('shards make the run that one process makes', async () => {
  await wholeRun;
  const out = folder();
  for (const index of [0, 1, 2]) await run({ out, shard: { index, count: 3 } });
  const whole = folder();
  async function* rows() {
    yield* samples;
  }
  await mergeShards({ folders: [out], out: whole, rows: rows() });
  expect(bytes(whole)).toBe(bytes(undisturbed));
});

test('a budget of calls ends a run that can be resumed', async () => {
  const out = folder();
  await expect(run({ out, budget: { maxCalls: 30 } })).rejects.toThrow(/30 calls/);
  await run({ out, resume: true, budget: { maxCalls: 200 } });
  await wholeRun;
  expect(bytes(out)).toBe(bytes(undisturbed));
});

test('a sample without enough scores is a prediction with that status', async () => {
  const out = folder();
  const client = createScriptedClient({ answer: () => 'no scores' });
  const { counts } = await run({ out, client, samples: samples.slice(0, 2) });
  expect(counts.byStatus).toEqual({ unparsed: 2 });
  await eachPrediction(out, ({ output }) => {
    expect(output).toMatchObject({ verdict: null, roles: [{ source: 'fallback' }, {}] });
  });
});

/** A row as runs wrote it that kept nothing of pairs that failed. */
const bareSample = (id: string) =>
  judgedSample({
    ...{ id, requestHash: null, status: 'context-length', output: null, costUsd: 0 },
    usage: { prompt: 0, completion: 0, cached: 0, reasoning: 0 },
  });

test('a pair that cannot be judged keeps what people say of it, and counts as wrong', async () => {
  await wholeRun;
  const out = folder();
  const long = { ...samples[1]!, answer1: 'word '.repeat(9000) };
  const narrow = configWith(['data.contextTokens=4000', 'data.truncate=false', 'network.layers=1']);
  const pairs = [samples[0]!, long, ...samples.slice(2)];
  const { counts } = await run({ out, samples: pairs, config: narrow });
  expect(counts.byStatus).toEqual({ 'context-length': 1, ok: 11 });
  await eachPrediction(out, ({ status, output, problem }) => {
    expect(problem === undefined).toBe(status === 'ok');
    expect(output).not.toBeNull();
  });
  const found = await readJudgedSamples(out);
  expect(found[1]).toMatchObject({ gold: samples[1]!.gold, verdict: null, dataset: long.dataset });
  const quick = { resamples: 100 };
  const { overall, byDataset } = evaluateJudgements(found, quick).agreement!;
  expect([overall.n, overall.unjudged, byDataset[0]!.n]).toEqual([12, 1, 12]);
  const other = await readJudgedSamples(undisturbed);
  const bare = found.map((sample) => (sample.verdict === null ? bareSample(sample.id) : sample));
  for (const [one, two] of [
    [found, other],
    [bare, other],
    [other, bare],
  ] as const) {
    expect(compareRuns(one, two, quick).n).toBe(12);
  }
});

test('rules judge without a call', async () => {
  const out = folder();
  const client = createScriptedClient({
    answer: () => {
      throw new Error('asked');
    },
  });
  const longer = configWith([], { preset: 'length' });
  const pairs = samples.map((sample) => ({ ...sample, answer1: `${sample.answer1} and more` }));
  await run({ out, client, config: longer, samples: pairs });
  expect((await readJudgedSamples(out)).every(({ verdict }) => verdict === '1')).toBe(true);
});

test('a torn last line is left out, a damaged one is an error with its line', async () => {
  const { appendFileSync, mkdirSync, writeFileSync } = await import('node:fs');
  await wholeRun;
  const dir = temporaryFolder();
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'predictions.jsonl');
  writeFileSync(path, `${bytes(undisturbed)}{"id":"torn`);
  expect(await readJudgedSamples(dir)).toHaveLength(12);
  appendFileSync(path, `\n${bytes(undisturbed)}`);
  await expect(readJudgedSamples(dir)).rejects.toThrow(/line 13: not a prediction/);
  await expect(readJudgedSamples(temporaryFolder())).rejects.toThrow(/no predictions/);
});
