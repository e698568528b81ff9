import { createRandom } from '@lab/core';
import { HostRows, nearestPairs, selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining } from '../__fixtures__/small-task.js';
import { alignEntities, evidenceOf as evidenceOfRow } from '../align.js';
import { candidateTable } from '../candidate-table.js';
import { evaluateModel } from '../evaluate.js';
import { createScoreField } from '../score-field.js';
import { trainEpochs } from '../train.js';
import { createEdgeCounter } from './kept-edges.js';
import { linePairs, unionPattern } from './pair-pattern.js';
import { bestOfLines, evidenceOf, evidenceValues, mutualBest, pairScores } from './pair-scores.js';
import { modalEvidence, ranksByEvidence } from './ranked-evidence.js';
import { standardScores } from './standard-scores.js';
import { chooseThresholds } from './thresholds.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

async function trained(settings: Record<string, unknown> = {}) {
  const task = await smallTask();
  const state = smallTraining(task, smallConfig({ 'evaluation.scores': 'evidence', ...settings }));
  await trainEpochs(state);
  return { task, state };
}

const evaluate = (state: Awaited<ReturnType<typeof trained>>['state']) =>
  evaluateModel(state, { pairs: state.task.split.test, random: createRandom(1) });

describe('scores by evidence', () => {
  it('rank the test pairs and say from where on each kind counts', async () => {
    const { task, state } = await trained();
    const found = await evaluate(state);
    expect(Object.keys(found.evidence!)).toEqual([...state.learner.modalities, 'fused']);
    expect(found.forwardRanks.length).toBe(task.split.test.length / 2);
    const fused = smallTraining(task, smallConfig());
    await trainEpochs(fused);
    expect(found.forward.mrr).toBeGreaterThan(0.5 * (await evaluate(fused)).forward.mrr);
    expect((await evaluate(fused)).evidence).toBeUndefined();
    expect(await evaluate(state)).toEqual(found);
    await expectNoLeak(() => evaluate(state));
    for (const one of [state, fused]) one.dispose();
  });

  it('give candidates, pairs and explanations alike', async () => {
    const { state } = await trained();
    const table = await candidateTable(state);
    const encoding = state.learner.encode();
    const field = await createScoreField(state, encoding);
    for (const row of [0, 5, 17]) {
      const source = table.sources[row]!;
      const target = table.targets[table.indices[row * table.width]!]!;
      const told = await field.scores(source, target);
      const { score, mutual } = evidenceOfRow(table, row);
      expect(told.score).toBeCloseTo(score, 4);
      expect([told.rank, told.mutual]).toEqual([1, mutual]);
      expect(told.cosine).toBeLessThanOrEqual(1.0001);
      expect((await field.best(source, 3))[0]).toBe(target);
    }
    field.dispose();
    encoding.dispose();
    expect(alignEntities(table, null, { matching: 'greedy' }).length).toBeGreaterThan(0);
    await expectNoLeak(() => candidateTable(state));
    await expect(candidateTable(state, { signal: AbortSignal.abort() })).rejects.toThrow();
    state.dispose();
  });

  it('fall back to the fused vectors where an index is searched, and say so', async () => {
    const { state } = await trained({ 'evaluation.search': 'approximate' });
    const found = await evaluate(state);
    expect(found.evidence).toBeUndefined();
    expect(found.remarks.join()).toContain('Pairs are scored by the fused vectors');
    state.dispose();
  });

  it('rank pairs that no evidence names against all', async () => {
    const { state } = await trained();
    const encoding = state.learner.encode();
    const { left, right } = state.task.data;
    const fused = await encoding.embed({ left, right }, null);
    const found = await modalEvidence({
      ...{ encoding, modalities: state.learner.modalities, fused, left, right },
      ...{ data: state.task.data, seeds: state.task.split.seeds, cslsNeighbours: 3 },
    });
    const all = await found.scoresOfLines('rows', Int32Array.of(2));
    const columns = await found.scoresOfLines('columns', Int32Array.of(5));
    expect(all[5]).toBeCloseTo(columns[2]!, 4);
    expect(all[5]).toBeCloseTo(found.scoreOf(2, 5), 4);
    const named = linePairs(found.pattern, 'rows', 2);
    for (const pair of named) {
      expect(found.scores[pair]).toBeCloseTo(all[found.pattern.columns[pair]!]!, 4);
    }
    // Without its pairs the pattern names nothing of row 2.
    const rowPointers = found.pattern.rowPointers.map((pointer, row) =>
      row <= 2 ? pointer : pointer - named.length,
    );
    const kept = (values: Int32Array) => values.filter((_, pair) => !named.includes(pair));
    const [rows, others] = [kept(found.pattern.rows), kept(found.pattern.columns)];
    const holed = {
      ...found,
      pattern: { ...found.pattern, rowPointers, rows, columns: others },
      scores: found.scores.filter((_, pair) => !named.includes(pair)),
    };
    const gold = new Int32Array(left.length).fill(-1);
    gold[2] = 5;
    const { forwardRanks } = await ranksByEvidence(holed, gold);
    expect(forwardRanks[0]).toBe(1 + all.filter((score) => score > all[5]!).length);
    const unnamed = Array.from(right.keys()).find(
      (column) => !named.some((pair) => found.pattern.columns[pair] === column),
    );
    if (unnamed !== undefined) {
      gold[2] = unnamed;
      const behind = await ranksByEvidence(found, gold);
      expect(behind.forwardRanks[0]).toBeGreaterThan(named.length);
    }
    fused.dispose();
    encoding.dispose();
    state.dispose();
  });

  it('are those of pairs outside of the pattern, too', async () => {
    const { state } = await trained({ 'evaluation.cslsNeighbours': 0 });
    const encoding = state.learner.encode();
    const field = await createScoreField(state, encoding);
    const { left, right } = field.candidates;
    const all = [];
    for (const target of right) all.push((await field.scores(left[3]!, target)).score);
    expect(all.every(Number.isFinite)).toBe(true);
    const [best] = await field.best(left[3]!, 1);
    expect(Math.max(...all)).toBeCloseTo((await field.scores(left[3]!, best!)).score, 6);
    field.dispose();
    encoding.dispose();
    state.dispose();
  });
});

describe('evidenceOf', () => {
  it('is softplus: nearly nothing below the threshold, linear above', () => {
    expect(evidenceOf(2, 2)).toBeCloseTo(Math.log(2), 12);
    expect(evidenceOf(-1000, 2)).toBe(0);
    expect(evidenceOf(1000, 2)).toBeCloseTo(1996, 9);
    const near = (evidenceOf(1.3 + 1e-6, 2) - evidenceOf(1.3 - 1e-6, 2)) / 2e-6;
    expect(near).toBeCloseTo(2 / (1 + Math.exp(1.4)), 6);
  });
});

describe('pairs of a pattern', () => {
  const lists = (forward: number[], backward: number[]) => ({
    forward: { indices: Int32Array.from(forward) },
    backward: { indices: Int32Array.from(backward) },
  });

  it('are the union of all lists, both ways, each once', () => {
    const size = { rowCount: 2, columnCount: 3 };
    const pattern = unionPattern([lists([2, 0], [0, 1, -1]), lists([2, -1], [-1, -1, -1])], size);
    expect([...pattern.rowPointers]).toEqual([0, 2, 4]);
    expect([...pattern.columns]).toEqual([0, 2, 0, 1]);
    expect([...pattern.byColumn]).toEqual([0, 2, 3, 1]);
  });

  it('score by the sum, less what rows and columns have with others', () => {
    const pattern = unionPattern([lists([0, 1, 0, 1], [0, 1, 0, 1])], {
      ...{ rowCount: 2, columnCount: 2 },
    });
    const kind = evidenceValues(Float32Array.of(3, 0, 1, 2));
    const { scores } = pairScores(pattern, [kind], { thresholds: [0], k: 1 });
    const e = [3, 0, 1, 2].map((z) => evidenceOf(z, 0));
    const expected = [2 * e[0]! - e[0]! - e[0]!, 2 * e[1]! - e[0]! - e[3]!];
    expect(scores[0]).toBeCloseTo(expected[0]!, 5);
    expect(scores[1]).toBeCloseTo(expected[1]!, 5);
    expect([...mutualBest(pattern, scores)]).toEqual([0, 3]);
    const plain = pairScores(pattern, [kind, kind], { thresholds: [0, null], k: 0 });
    expect(plain.scores[2]).toBeCloseTo(e[2]!, 5);
    const best = bestOfLines(pattern, plain.scores, { side: 'columns', k: 3 });
    expect([...best.indices]).toEqual([0, 1, -1, 1, 0, -1]);
  });
});

describe('standardScores', () => {
  it('have mean 0 and deviation 1 over all pairs, 0 where all pairs are the same', async () => {
    const random = createRandom('standard');
    const rows = () => new HostRows(20, 6, random.fillNormal(new Float32Array(120)));
    const sides = { left: rows(), right: rows() };
    const list = async (left: HostRows, right: HostRows) => nearestPairs({ left, right, k: 20 });
    const found = {
      forward: await list(sides.left, sides.right),
      backward: await list(sides.right, sides.left),
    };
    const pattern = unionPattern([found], { rowCount: 20, columnCount: 20 });
    const cosines = new Float32Array(400);
    for (let row = 0; row < 20; row += 1) {
      for (let rank = 0; rank < 20; rank += 1) {
        const place = row * 20 + found.forward.indices[row * 20 + rank]!;
        cosines[place] = found.forward.scores[row * 20 + rank]!;
      }
    }
    const z = await standardScores(sides, { pattern, cosines, lists: found, k: 3 });
    const mean = z.values.reduce((sum, value) => sum + value, 0) / 400;
    const square = z.values.reduce((sum, value) => sum + value * value, 0) / 400;
    expect(mean).toBeCloseTo(0, 5);
    expect(square).toBeCloseTo(1, 4);
    expect(z.at(4, 9)).toBeCloseTo(z.values[4 * 20 + 9]!, 4);
    const flat = new HostRows(20, 1, new Float32Array(20).fill(1));
    const same = { left: flat, right: flat };
    const lists = { forward: await list(flat, flat), backward: await list(flat, flat) };
    const one = { pattern, cosines: new Float32Array(400).fill(1), lists, k: 3 };
    expect(new Set((await standardScores(same, one)).values)).toEqual(new Set([0]));
  });
});

describe('chooseThresholds', () => {
  it('takes what is better, in order, each tried once, and never leaves out all', async () => {
    const tried: string[] = [];
    const chosen = await chooseThresholds(1, (thresholds) => {
      tried.push(String(thresholds[0]));
      return thresholds[0] === 4 ? 2 : 1;
    });
    expect(chosen.thresholds).toEqual([4]);
    expect(chosen.value).toBe(2);
    expect(tried).toEqual(['2', '0', '4', '6']);
  });
});

describe('createEdgeCounter', () => {
  it('counts edges of the first graph whose ends are partners of an edge of the second', () => {
    const counter = createEdgeCounter({
      entityCount: 6,
      left: Int32Array.of(0, 1, 2),
      sides: Uint8Array.of(1, 1, 1, 2, 2, 2),
      triples: {
        heads: Int32Array.of(0, 1, 1, 0, 3, 4, 5),
        relations: new Int32Array(7),
        tails: Int32Array.of(1, 0, 2, 0, 4, 5, 5), // twice 0-1, a loop at 0
      },
    } as never);
    expect(counter.keptBy(Int32Array.of(3, 4, 5, -1, -1, -1))).toBe(2);
    expect(counter.keptBy(Int32Array.of(4, 3, 5, -1, -1, -1))).toBe(1);
    expect(counter.keptBy(Int32Array.of(3, 3, 5, -1, -1, -1))).toBe(0);
    expect(counter.keptBy(new Int32Array(6).fill(-1))).toBe(0);
  });
});
