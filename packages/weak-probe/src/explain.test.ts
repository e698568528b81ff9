import { describe, expect, it } from 'vitest';
import { memoryStore, settings } from './__fixtures__/memory-store.js';
import { emergence, emergenceOf } from './emergence.js';
import { type ExplainedState, explainStates, splitReports, splitsOf } from './explain.js';
import { scorePredictions } from './probe-scores.js';
import type { StateStore } from './state-store.js';

async function explained(store: StateStore, ...set: string[]): Promise<ExplainedState[]> {
  const config = settings('mlp.hiddenUnits=8', 'mlp.maxEpochs=60', ...set);
  const states: ExplainedState[] = [];
  for await (const state of explainStates({ store, config })) states.push(state);
  return states;
}

describe('explainStates', () => {
  it('finds the classes where they lie apart, and chance where they do not', async () => {
    const store = memoryStore({ counts: [100, 100], distances: [0, 8] });
    const [none, clear] = await explained(store);
    for (const { accuracy, interval, auroc } of none!.report.probes) {
      expect(accuracy).toBeLessThan(0.72);
      expect(interval.low).toBeLessThan(0.6);
      expect(auroc).toBeLessThan(0.75);
    }
    for (const { accuracy, auroc, confusion, classes } of clear!.report.probes) {
      expect([accuracy, auroc]).toEqual([1, 1]);
      expect(confusion).toEqual([
        [30, 0],
        [0, 30],
      ]);
      expect(classes.map(({ label, support }) => [label, support])).toEqual([
        ['normal', 30],
        ['harmful', 30],
      ]);
    }
    const { report, predictions } = clear!;
    expect([report.state, report.block, report.degenerateFeatures]).toEqual([1, 0, false]);
    expect(report.silhouette).toBeGreaterThan(none!.report.silhouette + 0.3);
    expect(report.fisherRatio).toBeGreaterThan(2);
    expect(predictions.length).toBe(120);
    expect(predictions[0]).toMatchObject({ state: 1, probe: 'svm', split: 0 });
    expect(predictions[0]!.predicted).toBe(predictions[0]!.label);
  });

  it('learns random labels by heart at most', async () => {
    const store = memoryStore({ counts: [100, 100], distances: [8] });
    const [{ report }] = (await explained(store)) as [ExplainedState];
    const [svm, mlp] = report.probes;
    expect(svm!.randomLabels!.accuracy).toBeLessThan(0.7);
    expect(svm!.selectivity).toBeCloseTo(1 - svm!.randomLabels!.accuracy, 12);
    expect(mlp!.randomLabels).toBeNull();
    const [bare] = await explained(store, 'probe.controls=false');
    expect(bare!.report.probes[0]!.randomLabels).toBeNull();
  });

  it('tests each row once in folds, and is the same twice', async () => {
    const store = memoryStore({ counts: [30, 30], distances: [3] });
    const set = ['split.folds=3', 'probe.kinds=["svm","logistic"]'];
    const [one] = await explained(store, ...set);
    expect(await explained(store, ...set)).toEqual([one]);
    const [svm] = one!.report.probes;
    expect(svm!.splits.length).toBe(3);
    expect(svm!.deviation).toBeGreaterThan(0);
    expect(svm!.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(60);
    const ids = one!.predictions.filter(({ probe }) => probe === 'svm').map(({ id }) => id);
    expect(new Set(ids).size).toBe(60);
  });

  it('tells three classes apart', async () => {
    const store = memoryStore({ counts: [40, 40, 40], distances: [9] });
    const [{ report }] = (await explained(store, 'mlp.hiddenUnits=30')) as [ExplainedState];
    expect(report.probes.map(({ accuracy }) => accuracy)).toEqual([1, 1]);
    expect(report.probes[0]!.auroc).toBeNull();
    expect(report.probes[0]!.confusion.length).toBe(3);
  });

  it('says so where all rows are the same', async () => {
    const store = memoryStore({ counts: [30, 20] });
    const flat = { ...store, readState: async () => new Float32Array(50 * store.width).fill(2) };
    const [{ report }] = (await explained(flat)) as [ExplainedState];
    expect(report.degenerateFeatures).toBe(true);
    expect(report.probes.map(({ accuracy }) => accuracy)).toEqual([0.6, 0.6]);
    expect([report.silhouette, report.fisherRatio]).toEqual([0, 0]);
  });

  it('takes states in range, until the signal', async () => {
    const store = memoryStore();
    const config = settings();
    const read = (given: object) => explainStates({ store, config, ...given }).next();
    await expect(read({ states: [3] })).rejects.toThrow(/no state 3/);
    await expect(read({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
  });
});

describe('splitsOf', () => {
  it('keeps equal texts together, as the released code does not', () => {
    const store = memoryStore({ counts: [30, 30] });
    const rows = store.rows.map((row, at) => ({
      ...row,
      promptSha256: store.rows[at - (at % 2)]!.promptSha256,
    }));
    const twice = { ...store, rows };
    const leaked = (...set: string[]) => {
      const splits = splitsOf({ store: twice, config: settings(...set) });
      return splitReports(twice, splits)[0]!.leakedCount;
    };
    expect(leaked()).toBe(0);
    expect(leaked('data.deduplicate=false', 'split.isStratified=false')).toBeGreaterThan(5);
  });
});

describe('scorePredictions', () => {
  it('averages classes plainly and by their rows, with 0 for what was never predicted', () => {
    const split = { predicted: [0, 0, 0, 0], actual: [0, 0, 0, 1], margins: [-1, -1, -2, 1] };
    const scores = scorePredictions([split], ['a', 'b'], { rowCount: 4 });
    expect(scores.accuracy).toBe(0.75);
    expect(scores.balancedAccuracy).toBe(0.5);
    expect(scores.classes[1]).toEqual({ label: 'b', precision: 0, recall: 0, f1: 0, support: 1 });
    expect(scores.macro.f1).toBeCloseTo(3 / 7, 12);
    expect(scores.weighted).toMatchObject({ precision: 0.5625, recall: 0.75 });
    expect(scores.auroc).toBe(1);
    expect(scores.interval.low).toBeCloseTo(0.3006, 4);
  });
});

describe('emergence', () => {
  const point = (state: number, low: number) => {
    return { state, accuracy: low + 0.1, low, high: low + 0.2 };
  };

  it('is the first state surely above the baseline, and where it stays', () => {
    const lows = [0.3, 0.6, 0.4, 0.7, 0.8].map((low, state) => point(state, low));
    const found = emergenceOf(lows, 0.5);
    expect(found).toMatchObject({ firstState: 1, lastingState: 3, best: { state: 4 } });
    expect(emergenceOf(lows, 0.95)).toMatchObject({ firstState: null, lastingState: null });
    expect(emergenceOf(lows.slice(0, 3), 0.5)).toMatchObject({ firstState: 1, lastingState: null });
  });

  it('is there for each probe', async () => {
    const states = await explained(memoryStore({ distances: [0, 8] }));
    const found = emergence(
      states.map(({ report }) => report),
      { baseline: 0.6, rowCount: 24 },
    );
    expect(found.map(({ probe, firstState }) => [probe, firstState])).toEqual([
      ['svm', 1],
      ['mlp', 1],
    ]);
    expect(emergence([], { baseline: 0.5, rowCount: 24 })).toEqual([]);
  });

  it('is no luck of one state among many', () => {
    const probe = (right: number) => ({ probe: 'svm', accuracy: right / 100 });
    const curve = (rights: readonly number[]) =>
      rights.map((right, state) => ({ state, probes: [probe(right)] })) as never[];
    const against = { baseline: 0.5, rowCount: 100 };
    // 61 of 100 lie above a half at 95 % (.512 to .700), and not among 33 states.
    expect(emergence(curve([61]), against)[0]).toMatchObject({ firstState: 0 });
    const many = [...Array.from({ length: 32 }, () => 50), 61];
    expect(emergence(curve(many), against)[0]).toMatchObject({ firstState: null });
    expect(emergence(curve([...many.slice(1), 70]), against)[0]).toMatchObject({ firstState: 32 });
  });
});
