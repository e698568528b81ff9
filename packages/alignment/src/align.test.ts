import '@lab/core/testing';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining } from './__fixtures__/small-task.js';
import { alignEntities, calibrate, evidenceOf, judgePairs } from './align.js';
import { type CandidateTable, candidateTable } from './candidate-table.js';
import { trainEpochs } from './train.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Three sources (10, 11, 12) and three targets (20, 21, 22), two candidates each. */
const table: CandidateTable = {
  sources: Int32Array.of(10, 11, 12),
  targets: Int32Array.of(20, 21, 22),
  width: 2,
  // 10 and 11 both like target 20 best; 12 likes 22.
  indices: Int32Array.of(0, 1, 0, 2, 2, 0),
  scores: Float32Array.of(0.9, 0.5, 0.8, 0.75, 0.6, 0.1),
  backwardIndices: Int32Array.of(0, 1, 0, 2, 1, 2),
  backwardScores: Float32Array.of(0.9, 0.8, 0.5, 0.3, 0.75, 0.6),
};

const names = (pairs: readonly { source: number; target: number }[]) =>
  pairs.map(({ source, target }) => `${source}-${target}`);

describe('evidenceOf', () => {
  it('has score, margin to the second, backward margin and mutuality', () => {
    const best = evidenceOf(table, 0);
    expect(best.score).toBeCloseTo(0.9);
    expect(best.margin).toBeCloseTo(0.4);
    expect(best.backwardMargin).toBeCloseTo(0.1);
    expect(best.mutual).toBe(true);
    const beaten = evidenceOf(table, 1);
    expect(beaten.backwardMargin).toBeCloseTo(-0.1);
    expect(beaten.mutual).toBe(false);
  });

  it('of a lower candidate has a negative margin', () => {
    const second = evidenceOf(table, 1, 1);
    expect(second.margin).toBeCloseTo(0.75 - 0.8);
    expect(second.mutual).toBe(false);
  });

  it('is finite with a single candidate', () => {
    const lonely: CandidateTable = {
      ...table,
      sources: Int32Array.of(10),
      targets: Int32Array.of(20),
      indices: Int32Array.of(0, -1),
      scores: Float32Array.of(0.9, Number.NEGATIVE_INFINITY),
      backwardIndices: Int32Array.of(0, -1),
      backwardScores: Float32Array.of(0.9, Number.NEGATIVE_INFINITY),
    };
    const { margin, backwardMargin, mutual } = evidenceOf(lonely, 0);
    expect([margin, backwardMargin, mutual]).toEqual([1, 1, true]);
  });
});

describe('alignEntities', () => {
  it('best: one pair per source, surest first', () => {
    expect(names(alignEntities(table, null))).toEqual(['12-22', '10-20', '11-20']);
  });

  it('mutual: only pairs that are best for both', () => {
    expect(names(alignEntities(table, null, { matching: 'mutual' }))).toEqual(['10-20']);
  });

  it('greedy: every target once', () => {
    const pairs = alignEntities(table, null, { matching: 'greedy' });
    const targets = pairs.map(({ target }) => target);
    expect(new Set(targets).size).toBe(targets.length);
    expect(names(pairs)).toContain('10-20');
    expect(names(pairs)).toContain('11-22');
  });

  it('sinkhorn: every target once, the sum of all pairs before the best single one', () => {
    // Greedy takes 0-0 (.9) and leaves 1-1 (.1); both together prefer 0-1 (.85) and 1-0 (.8).
    const crossed: CandidateTable = {
      ...{ sources: Int32Array.of(1, 2), targets: Int32Array.of(5, 6), width: 2 },
      indices: Int32Array.of(0, 1, 0, 1),
      scores: Float32Array.of(0.9, 0.85, 0.8, 0.1),
      backwardIndices: Int32Array.of(0, 1, 0, 1),
      backwardScores: Float32Array.of(0.9, 0.8, 0.85, 0.1),
    };
    expect(names(alignEntities(crossed, null, { matching: 'greedy' })).sort()).toEqual([
      '1-5',
      '2-6',
    ]);
    expect(names(alignEntities(crossed, null, { matching: 'sinkhorn' })).sort()).toEqual([
      '1-6',
      '2-5',
    ]);
  });

  it('leaves out what is below the threshold: margins, or confidences when there are some', () => {
    expect(names(alignEntities(table, null, { minConfidence: 0.3 }))).toEqual(['12-22', '10-20']);
    const sure = { coefficients: [0, 0, 0, 9], intercept: -3, pairs: 40 };
    const pairs = alignEntities(table, sure, { minConfidence: 0.5 });
    expect(names(pairs)).toEqual(['10-20']);
    expect(pairs[0]!.confidence).toBeGreaterThan(0.99);
  });

  it('orders by confidence, equal ones by source', () => {
    const flat = { coefficients: [0, 0, 0, 0], intercept: 0, pairs: 40 };
    expect(names(alignEntities(table, flat))).toEqual(['10-20', '11-20', '12-22']);
  });
});

describe('judgePairs and calibrate', () => {
  it('say whether the best candidate is right; seeded sources are left out', () => {
    const judged = judgePairs(table, Int32Array.of(10, 20, 11, 22, 99, 20));
    expect(judged.isRight).toEqual([true, false]);
    expect(judged.evidence).toHaveLength(2);
    expect(calibrate(table, Int32Array.of(10, 20))).toBeNull();
  });
});

describe('candidateTable', () => {
  it('lists entities outside of the seeds, validation pairs included, best first', async () => {
    const task = await smallTask(undefined, 0.2);
    const state = smallTraining(task, smallConfig({ 'training.epochs': 2 }));
    await trainEpochs(state);
    const found = await candidateTable(state);
    const seeded = new Set(task.split.seeds);
    expect(found.sources.length).toBe(24);
    for (const entity of [...found.sources, ...found.targets]) {
      expect(seeded.has(entity)).toBe(false);
    }
    expect(new Set(found.sources)).toContain(task.split.validation[0]);
    for (let row = 0; row < found.sources.length; row += 1) {
      const scores = found.scores.subarray(row * found.width, (row + 1) * found.width);
      expect(Array.from(scores)).toEqual(Array.from(scores).sort((a, b) => b - a));
    }
    const leak = await expectNoLeak(async () => {
      await candidateTable(state);
    });
    expect(leak).toBeUndefined();
    await expect(candidateTable(state, { signal: AbortSignal.abort() })).rejects.toThrow();
    state.dispose();
  });

  it('is the same by an index that finds all, and from its folder', async () => {
    const task = await smallTask(undefined, 0.2);
    const state = smallTraining(task, smallConfig({ 'training.epochs': 2 }));
    await trainEpochs(state);
    const exact = await candidateTable(state);
    state.dispose();
    const other = smallTraining(
      task,
      smallConfig({ 'training.epochs': 2, 'evaluation.search': 'approximate' }),
    );
    await trainEpochs(other);
    const folder = join(temporaryFolder(), 'search');
    const done: number[] = [];
    const onProgress = (progress: { done: number }) => void done.push(progress.done);
    const found = await candidateTable(other, { folder, onProgress });
    expect(done).toEqual([24, 48]);
    expect(found.indices).toEqual(exact.indices);
    expect(found.backwardIndices).toEqual(exact.backwardIndices);
    expect(found.scores).toBeClose(exact.scores, { atol: 1e-5, rtol: 1e-5 });
    expect(existsSync(join(folder, 'backward-0000.safetensors'))).toBe(true);
    expect(await candidateTable(other, { folder })).toEqual(found);
    const reversed = await candidateTable(other, { folder, side: 'target' });
    expect(reversed.sources).toEqual(found.targets);
    expect(reversed.backwardIndices.filter((_, at) => at % 2 === 0)).toEqual(
      found.indices.filter((_, at) => at % found.width === 0),
    );
    other.dispose();
  });

  it('is empty when every entity has a seed', async () => {
    const { data, split } = await smallTask();
    const task = { data, split: { ...split, seeds: data.links, test: new Int32Array(0) } };
    const state = smallTraining(task, smallConfig({ 'training.epochs': 1 }));
    const found = await candidateTable(state);
    expect(found.sources.length).toBe(0);
    expect(alignEntities(found, null)).toEqual([]);
    state.dispose();
  });
});
