import { selectBackend } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import '@lab/core/testing';
import { randomPrompts, smallModel } from './__fixtures__/small-models.js';
import { resolveAblation } from './ablation.js';
import { datasetShips, type HeadScore } from './dataset-ships.js';
import { allHeads, type HeadId, headKey, rankHeads } from './head.js';
import { scanHeadsNaively } from './naive-scan.js';
import { groupKey, sahara, type SaharaOptions, type SaharaStep } from './sahara.js';
import { ships } from './ships.js';
import { safetySubspace, type SubspaceOptions, subspaceShift } from './subspace.js';

let model: Model;
const prompts = randomPrompts([6, 7, 7, 5]);
const heads = allHeads({ layerCount: 3, headCount: 4 });

beforeAll(async () => {
  await selectBackend('wasm');
  model = await smallModel('qwen2');
});
afterAll(() => model.dispose());

/** Turns as loops over prompts and heads give them. */
async function naiveTurns(group: readonly HeadId[], options: SubspaceOptions) {
  const { width } = model.architecture;
  const ablation = resolveAblation({ kind: 'uniform' }, model.architecture);
  const tables = new Map<string, Float32Array>();
  const scan = { prompts, ablation, output: 'states' as const };
  const put = (key: string, prompt: number, values: Float32Array) => {
    const table = tables.get(key) ?? new Float32Array(prompts.length * width);
    table.set(values, prompt * width);
    tables.set(key, table);
  };
  await scanHeadsNaively(model, {
    ...{ ...scan, group: [], candidates: [] },
    visit: ({ prompt, values }) => put('intact', prompt, values),
  });
  const taken = new Set(group.map(headKey));
  const candidates = heads.filter((one) => !taken.has(headKey(one)));
  await scanHeadsNaively(model, {
    ...{ ...scan, group, candidates },
    visit: ({ prompt, head, values }) => head !== null && put(headKey(head), prompt, values),
  });
  const of = (key: string) =>
    safetySubspace({ rowCount: prompts.length, width, data: tables.get(key)! }, options);
  const intact = of('intact');
  return new Map(candidates.map((one) => [headKey(one), subspaceShift(intact, of(headKey(one)))]));
}

describe('scores over a data set', () => {
  it.each<[string, SubspaceOptions]>([
    ['left, rank 1', {}],
    ['left, rank 2', { rank: 2 }],
    ['right, centred', { side: 'right', center: true }],
  ])('are the turns of a loop over prompts: %s', async (_, options) => {
    const group = [{ layer: 1, head: 3 }];
    const wanted = await naiveTurns(group, options);
    const { scores, unit } = await datasetShips(model, prompts, { ...options, group });
    expect(unit).toBe('degrees');
    expect(scores[1]![3]).toBeNull();
    for (const { layer, head, score } of rankHeads(scores)) {
      expect(score).toBeCloseTo(wanted.get(headKey({ layer, head }))!, 3);
    }
  });

  it('of divergence are the means of ships', async () => {
    const { scores, unit } = await datasetShips(model, prompts, { measure: 'divergence' });
    expect(unit).toBe('nats');
    let mean = 0;
    for (const one of prompts) mean += (await ships(model, one)).scores[2]![1]! / prompts.length;
    expect(scores[2]![1]! / mean).toBeCloseTo(1, 3);
  });

  it('that are known are not made again, and those that come are told layer by layer', async () => {
    const told: HeadScore[][] = [];
    const onScores = (found: readonly HeadScore[]) => told.push([...found]);
    const whole = await datasetShips(model, prompts, { onScores });
    expect(told.map((found) => found.map(headKey))).toEqual(
      [0, 1, 2].map((layer) => [0, 1, 2, 3].map((head) => headKey({ layer, head }))),
    );
    const earlier = [[...whole.scores[0]!], [], []];
    const again: string[] = [];
    const rest = await datasetShips(model, prompts, {
      ...{ earlier, onScores: (found) => again.push(...found.map(headKey)) },
    });
    expect(again).toEqual(told.slice(1).flatMap((found) => found.map(headKey)));
    expect(rest.scores).toEqual(whole.scores);
  });

  it('of one prompt have no subspace', async () => {
    await expect(datasetShips(model, prompts.slice(0, 1))).rejects.toThrow(/two are needed/);
  });

  it('a factor of 1 turns nothing', async () => {
    const ablation = { kind: 'scale', eps: 1 } as const;
    const { scores } = await datasetShips(model, prompts, { ablation });
    expect(scores.flat().every((score) => score === 0)).toBe(true);
  });
});

async function stepsOf(options: SaharaOptions): Promise<SaharaStep[]> {
  const steps: SaharaStep[] = [];
  for await (const step of sahara(model, prompts, options)) steps.push(step);
  return steps;
}

describe('sahara', () => {
  it('takes the best head beside those before it, always against the intact model', async () => {
    const steps = await stepsOf({ size: 3 });
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3]);
    for (const [at, { group, score, gain }] of steps.entries()) {
      const before = group.slice(0, -1);
      const { scores } = await datasetShips(model, prompts, { group: before });
      const [best] = rankHeads(scores);
      expect(headKey(best!)).toBe(headKey(group.at(-1)!));
      expect(score).toBeCloseTo(best!.score, 6);
      expect(gain).toBeCloseTo(score - (steps[at - 1]?.score ?? 0), 9);
    }
  });

  it('goes on from steps and scores that are known, to the same end', async () => {
    const known = new Map<string, HeadScore[]>();
    const onScores = (group: readonly HeadId[], found: readonly HeadScore[]) =>
      known.set(groupKey(group), [...(known.get(groupKey(group)) ?? []), ...found]);
    const whole = await stepsOf({ size: 3, onScores });
    // As after a kill in the second step: its first layer is there.
    const second = groupKey(whole[0]!.group);
    const part = new Map([[second, known.get(second)!.slice(0, 4)]]);
    const again: string[] = [];
    const rest = await stepsOf({
      ...{ size: 3, steps: whole.slice(0, 1), known: part },
      onScores: (group, found) => again.push(`${groupKey(group)}: ${found.map(headKey).join(' ')}`),
    });
    expect(rest).toEqual(whole.slice(1));
    expect(again[0]).toMatch(new RegExp(`^${second}: 1-`));
    expect(await stepsOf({ size: 1, steps: whole.slice(0, 1) })).toEqual([]);
  });

  it('ends at a head that adds too little', async () => {
    const [first, second] = await stepsOf({ size: 3 });
    const least = Math.max(first!.gain, second!.gain) + 1;
    expect(await stepsOf({ size: 3, minGain: least })).toHaveLength(1);
  });

  it('with a beam keeps several groups, and never ends with a worse one', async () => {
    const greedy = await stepsOf({ size: 2 });
    const wide = await stepsOf({ size: 2, beam: 3 });
    expect(wide[0]!.beams).toHaveLength(3);
    expect(new Set(wide[1]!.beams.map(({ group }) => groupKey(group))).size).toBe(3);
    expect(wide[1]!.score).toBeGreaterThanOrEqual(greedy[1]!.score - 1e-9);
  });

  it('with a beam a gain is over the group that the head joined', async () => {
    const steps = await stepsOf({ size: 1, beam: 3 });
    // The third of the groups so far is let win, by scores that are said to be known.
    const [best, , third] = steps[0]!.beams;
    const known = new Map(
      steps[0]!.beams.map(({ group }) => {
        const taken = new Set(group.map(headKey));
        const others = heads.filter((one) => !taken.has(headKey(one)));
        const score = group === third!.group ? 500 : 1;
        return [groupKey(group), others.map((one): HeadScore => ({ ...one, score }))];
      }),
    );
    const [second] = await stepsOf({ size: 2, beam: 3, steps, known });
    expect(headKey(second!.group[0]!)).toBe(headKey(third!.group[0]!));
    expect(third!.score).toBeLessThan(best!.score);
    expect(second!.gain).toBeCloseTo(500 - third!.score, 9);
  });

  it('a size or beam below 1 is refused', async () => {
    await expect(stepsOf({ size: 0 })).rejects.toThrow(/size is 0/);
    await expect(stepsOf({ beam: 1.5 })).rejects.toThrow(/beam is 1.5/);
  });
});
