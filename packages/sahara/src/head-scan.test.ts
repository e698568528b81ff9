import { selectBackend, tf } from '@lab/tensor';
import type { LoadModelOptions, Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import '@lab/core/testing';
import { randomPrompts, type SmallModel, smallModel } from './__fixtures__/small-models.js';
import { type HeadAblation, headCounts, resolveAblation } from './ablation.js';
import { allHeads, type HeadId, headKey, rankHeads } from './head.js';
import type { ScanInput, ScanOutput, TokenPrompt } from './head-outputs.js';
import { scanHeads } from './head-scan.js';
import { scanHeadsNaively } from './naive-scan.js';
import type { ScanLimits } from './scan-batches.js';
import {
  noScores,
  type PromptScores,
  planShips,
  ships,
  shipsOfEach,
  ShipsScores,
} from './ships.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

interface Case {
  readonly ablation?: HeadAblation;
  readonly group?: readonly HeadId[];
  readonly output?: ScanOutput;
  readonly lengths?: readonly number[];
}

function inputOf(
  model: Model,
  { ablation = { kind: 'uniform' }, group = [], output = 'logits', lengths = [9] }: Case,
): Omit<ScanInput, 'visit'> {
  const resolved = resolveAblation(ablation, model.architecture);
  const taken = new Set(group.map(headKey));
  const candidates = allHeads(headCounts(model.architecture, resolved)).filter(
    (one) => !taken.has(headKey(one)),
  );
  return { prompts: randomPrompts(lengths), ablation: resolved, group, candidates, output };
}

/** Outputs of a scan by prompt and head. */
async function outputs(
  run: (visit: ScanInput['visit']) => Promise<void>,
): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  await run(({ prompt, head, values }) => {
    const key = `${prompt}:${head === null ? 'intact' : headKey(head)}`;
    expect(found.has(key), key).toBe(false);
    found.set(key, values.slice());
  });
  return found;
}

async function expectSame(model: Model, one: Case, limits: ScanLimits = {}): Promise<void> {
  const input = inputOf(model, one);
  const wanted = await outputs((visit) => scanHeadsNaively(model, { ...input, visit }));
  const before = tf.memory().numTensors;
  const found = await outputs((visit) => scanHeads(model, { ...input, visit }, limits));
  expect(tf.memory().numTensors).toBe(before);
  expect([...found.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
  for (const [key, values] of wanted) {
    expect(found.get(key), key).toBeClose(values, { atol: 3e-5, rtol: 1e-4 });
  }
}

const families: SmallModel[] = ['gpt2', 'qwen2', 'qwen3', 'gemma2', 'falcon'];

describe.each(families)('the scan of %s equals a pass for every head', (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await smallModel(name);
  });
  afterAll(() => model.dispose());

  it.each<[string, Case]>([
    ['uniform', {}],
    ['a factor of queries', { ablation: { kind: 'scale', site: 'q', eps: 0.3 } }],
    ['a factor of outputs', { ablation: { kind: 'scale', site: 'z', eps: 1e-5 } }],
    ['means of queries', { ablation: { kind: 'mean', site: 'q' } }],
    ['final states', { output: 'states' }],
    ['several lengths', { lengths: [9, 5, 7] }],
    [
      'beside a group',
      {
        group: [
          { layer: 0, head: 1 },
          { layer: 2, head: 3 },
        ],
      },
    ],
    [
      'means beside a group of the layer',
      { ablation: { kind: 'mean', site: 'q' }, group: [{ layer: 1, head: 0 }] },
    ],
  ])('%s', async (_, one) => {
    await expectSame(model, one);
  });

  it.each<[string, Case]>([
    ['keys of groups', { ablation: { kind: 'scale', site: 'k', granularity: 'kv-group' } }],
    ['values of one head', { ablation: { kind: 'zero', site: 'v', granularity: 'query-head' } }],
    ['means of values', { ablation: { kind: 'mean', site: 'v', granularity: 'query-head' } }],
  ])('%s', async (_, one) => {
    await expectSame(model, one);
  });
});

describe('how a scan is cut changes nothing', () => {
  it.each<[string, ScanLimits, LoadModelOptions]>([
    ['one row at a time', { batchTokens: 1 }, {}],
    ['a layer at a time', { memoryBytes: 1 }, {}],
    ['weights in the files', {}, { residency: 'streamed' }],
    ['weights in the files, little memory', { memoryBytes: 40_000 }, { residency: 'streamed' }],
  ])('%s', async (_, limits, load) => {
    const model = await smallModel('qwen2', load);
    await expectSame(model, { lengths: [6, 9], group: [{ layer: 1, head: 1 }] }, limits);
    model.dispose();
  });

  it('a few heads of some layers are scanned alone', async () => {
    const model = await smallModel('gpt2');
    const input = inputOf(model, {});
    const some = [
      { layer: 2, head: 1 },
      { layer: 0, head: 3 },
    ];
    const all = await outputs((visit) => scanHeads(model, { ...input, visit }));
    const found = await outputs((visit) => scanHeads(model, { ...input, candidates: some, visit }));
    expect([...found.keys()].toSorted()).toEqual(['0:0-3', '0:2-1', '0:intact']);
    for (const [key, values] of found) expect(values).toBeClose(all.get(key)!, { atol: 1e-5 });
    model.dispose();
  });

  it('a signal ends it between layers, and nothing is left behind', async () => {
    const model = await smallModel('gpt2');
    const stop = new AbortController();
    const before = tf.memory().numTensors;
    const visit = () => stop.abort();
    const input = { ...inputOf(model, { lengths: [5, 5] }), visit, signal: stop.signal };
    await expect(scanHeads(model, input)).rejects.toThrow(/abort/i);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});

/** Scores as a loop over heads gives them. */
async function naiveScores(model: Model, prompts: readonly TokenPrompt[]): Promise<PromptScores[]> {
  const scores = new ShipsScores(prompts, planShips(model, prompts, {}));
  await scanHeadsNaively(model, scores.input(inputOf(model, {}).candidates, {}));
  return scores.found;
}

describe('ships', () => {
  it.each<SmallModel>(['qwen2', 'qwen3', 'gemma2'])('of %s are those of a loop', async (name) => {
    const model = await smallModel(name);
    const prompts = randomPrompts([12]);
    const [wanted] = await naiveScores(model, prompts);
    const found = await ships(model, prompts[0]!);
    const ranked = rankHeads(wanted!.scores);
    expect(ranked[Math.floor(ranked.length / 2)]!.score).toBeGreaterThan(1e-3);
    for (const { layer, head, score } of ranked) {
      const own = found.scores[layer]![head]!;
      if (score > 1e-3) expect(own / score).toBeCloseTo(1, 3);
      else expect(own).toBeCloseTo(score, 6);
    }
    const keys = (one: PromptScores) => rankHeads(one.scores, 20).map(headKey);
    expect(keys(found)).toEqual(keys(wanted!));
    expect(found.nextToken).toBe(wanted!.nextToken);
    model.dispose();
  });

  it('a factor of 1 gives zeros, exactly; heads of the group get no score', async () => {
    const model = await smallModel('gpt2');
    const { ids } = randomPrompts([6])[0]!;
    const same = await ships(model, ids, { ablation: { kind: 'scale', eps: 1 } });
    expect(same.scores).toEqual(
      noScores({ layerCount: 3, headCount: 4 }).map((row) => row.map(() => 0)),
    );
    const group = [{ layer: 1, head: 2 }];
    const beside = await ships(model, ids, { group });
    expect(beside.scores[1]![2]).toBeNull();
    expect(rankHeads(beside.scores)).toHaveLength(11);
    model.dispose();
  });

  it('of several prompts come by batches, those that are known left out', async () => {
    const model = await smallModel('qwen2');
    const prompts = randomPrompts([9, 5, 9, 6]);
    const all: PromptScores[] = [];
    for await (const one of shipsOfEach(model, prompts, { batchTokens: 40 })) all.push(one);
    expect(all.map(({ id }) => id).toSorted()).toEqual(['p1', 'p2', 'p3', 'p4']);
    const again: PromptScores[] = [];
    const isDone = (id: string) => id === 'p2' || id === 'p4';
    for await (const one of shipsOfEach(model, prompts, { batchTokens: 40, isDone })) {
      again.push(one);
    }
    expect(again).toEqual(all.filter(({ id }) => !isDone(id)));
    model.dispose();
  });

  it('prompts without tokens, too long ones, and foreign tokens are refused', async () => {
    const model = await smallModel('gpt2');
    await expect(ships(model, [])).rejects.toThrow(/no tokens/);
    await expect(ships(model, [3, 999])).rejects.toThrow(/token 999, the vocabulary has 48/);
    const long = Array.from({ length: 65 }, () => 1);
    await expect(ships(model, long)).rejects.toThrow(/65 tokens, the model takes 64/);
    await expect(ships(model, [1], { heads: [{ layer: 9, head: 0 }] })).rejects.toThrow(/9-0/);
    model.dispose();
  });

  it('values that overflow are an error with the prompt, not a winner', async () => {
    const model = await smallModel('gpt2');
    const scores = new ShipsScores(
      [{ id: 'a', ids: [1] }],
      planShips(model, [{ id: 'a', ids: [1] }], {}),
    );
    const { visit } = scores.input([], {});
    visit({ prompt: 0, head: null, values: new Float32Array(48) });
    const bad = new Float32Array(48).fill(Number.NaN);
    const head = { layer: 1, head: 2 };
    expect(() => visit({ prompt: 0, head, values: bad })).toThrow(/prompt a with head 1-2/);
    model.dispose();
  });
});
