import { readRunRecord, type ResolvedConfig } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallData, smallResolved, smallTask } from './__fixtures__/small-task.js';
import type { TableConfig } from './__fixtures__/table-config.js';
import type { TableLearner } from './__fixtures__/table-learner.js';
import { tableMethod } from './__fixtures__/table-method.js';
import type { PairAnalysis } from './analysis.js';
import { conclude } from './conclude.js';
import type { RunSummary } from './run-summary.js';
import { confidenceFigure, metricsFigure, pairFigures, pseudoSeedFigure } from './figures.js';
import { type RunPageInput, runPage, evidenceText } from './run-page.js';
import type { EpochRecord } from './epoch-record.js';
import type { TrainResult } from './training-options.js';
import { train } from './training-run.js';

let trained: TrainResult<TableConfig, TableLearner>;
let config: ResolvedConfig<TableConfig>;
let summary: RunSummary;
let input: RunPageInput<TableConfig>;

const round = { candidates: 0, accepted: 4, removed: 1, removedCorrect: 0, correct: 3 };
const record = (epoch: number, extra: Partial<EpochRecord> = {}): EpochRecord => ({
  epoch,
  learningRate: 0.001 * epoch,
  loss: 9 - epoch,
  seeds: 10,
  ...extra,
});

const pair = (extra: Partial<PairAnalysis> = {}): PairAnalysis => ({
  source: 0,
  gold: 40,
  predicted: 40,
  rank: 1,
  score: 0.5,
  margin: 0.2,
  confidence: 0.9,
  trueCosine: 0.8,
  falseCosine: 0.3,
  uncertainty: 0.4,
  degree: 4,
  ...extra,
});

const quality = {
  auroc: 0.9,
  marginAuroc: 0.85,
  ece: 0.04,
  bins: [{ low: 0.8, high: 0.9, count: 5, confidence: 0.85, accuracy: 0.8 }],
  pairs: 5,
};
const confidence = {
  model: { coefficients: [1, 1, 1, 1], intercept: 0, pairs: 40 },
  quality,
  fittedOn: '40 validation pairs',
};

beforeAll(async () => {
  await selectBackend('wasm');
  config = smallResolved({ 'training.epochs': 2, 'evaluation.baseline': true });
  const run = { parent: temporaryFolder(), label: 'x', command: ['table', 'train'], backend: null };
  trained = await train(tableMethod, { data: await smallTask(smallData()), config, run });
  ({ summary } = await conclude(tableMethod, trained, { config, seconds: 90 }));
  const epochs = [record(0), record(1, { evaluation: trained.metrics!, pseudoSeeds: round })];
  const { state } = trained;
  input = {
    trained,
    summary,
    epochs,
    uncertaintyLabel: 'how unsure',
    sections: await tableMethod.sections({ epochs, config, state, encoding: null }),
    pairs: [pair(), pair({ rank: 0, predicted: 41 })],
    confidence,
    config,
    seconds: 90,
    record: readRunRecord(trained.run!.dir),
  };
});

afterAll(() => trained.state.dispose());

describe('runPage', () => {
  it('leads with the result: a sentence, three numbers with interval and baseline', () => {
    const page = runPage(tableMethod, input);
    expect(page.title).toBe('Table on small pair');
    expect(page.sentence).toMatch(/^For [\d.]+ % of 20 held-out entities .*propagation.*%\.$/);
    expect(page.numbers).toHaveLength(3);
    expect(page.numbers[0]).toMatchObject({
      label: 'H@1, KG1 to KG2',
      interval: { low: expect.any(Number), high: expect.any(Number) },
      reference: expect.stringContaining('baseline'),
    });
    expect(page.mainFigure).toBeDefined();
    expect(page.comparison!.rows.map(({ source }) => source)).toEqual(['ours', 'baseline']);
  });

  it('has sections, right and wrong examples, cost, settings, files and command', () => {
    const page = runPage(tableMethod, input);
    expect(page.sections.map(({ heading }) => heading)).toEqual([
      'Pairs',
      'Confidence',
      'Table',
      'Pseudo seeds',
    ]);
    expect(page.examples!.items.map(({ verdict }) => verdict)).toEqual(['right', 'wrong']);
    expect(page.examples!.items[1]!.facts).toContainEqual({
      label: 'its rank',
      value: 'beyond 10',
    });
    expect(page.cost[0]).toEqual({ label: 'training', value: '90 s' });
    expect(page.command).toBe('table train');
    expect(page.settings.length).toBeGreaterThan(30);
  });

  it('warns of oracle selection, repairs, and a missing calibration', () => {
    const warned = runPage(tableMethod, {
      ...input,
      summary: { ...summary, select: 'test-oracle' },
      epochs: [record(0, { repaired: 7 })],
      confidence: null,
    });
    const text = (warned.warnings ?? []).join(' ');
    expect(text).toMatch(/selected on the test pairs/);
    expect(text).toMatch(/7 values that were not finite/);
    expect(text).toMatch(/too few held-out pairs/);
    expect(warned.sentence).toContain('optimistic');
    expect(runPage(tableMethod, input).warnings!.join(' ')).not.toMatch(
      /optimistic|too few|finite/,
    );
  });

  it('is whole without an evaluation and without pairs', () => {
    const bare = runPage(tableMethod, {
      ...input,
      summary: { ...summary, metrics: null, baseline: null },
      pairs: [],
      epochs: [],
      sections: [],
      confidence: null,
    });
    expect(bare.numbers).toEqual([]);
    expect(bare).not.toHaveProperty('mainFigure');
    expect(bare).not.toHaveProperty('comparison');
    expect(bare).not.toHaveProperty('examples');
    expect(bare.sections).toEqual([]);
  });
});

describe('figures', () => {
  it('metrics need an evaluation', () => {
    expect(metricsFigure([record(0)], summary)).toBeNull();
    const drawn = metricsFigure(input.epochs, summary)!;
    expect(drawn.figure.svg).toContain('<svg');
    expect(drawn.figure.csv).toContain('H@1 KG1 to KG2');
  });

  it('pseudo seeds are drawn once some were accepted', () => {
    expect(pseudoSeedFigure([record(0)])).toBeNull();
    const figure = pseudoSeedFigure([record(4, { pseudoSeeds: round })])!.figure;
    expect(figure.csv).toContain('3');
  });

  it('pairs: similarities, degrees, and uncertainty only where the model says it', () => {
    expect(pairFigures([])).toEqual([]);
    expect(pairFigures([pair(), pair({ degree: 40 })])).toHaveLength(3);
    expect(pairFigures([pair({ uncertainty: null })])).toHaveLength(2);
    expect(pairFigures([pair()], 'how unsure').at(-1)!.figure.svg).toContain('how unsure');
  });

  it('confidence says where it was fitted and how good it is', () => {
    expect(confidenceFigure(null)).toBeNull();
    expect(confidenceFigure({ ...confidence, quality: null })).toBeNull();
    expect(confidenceFigure(confidence)!.caption).toMatch(
      /Fitted on 40 validation pairs.*error \(ECE\) \.040, AUROC \.900 \(margin alone \.850\)/,
    );
  });
});

describe('evidenceText', () => {
  it('says from where on each kind counts, and what is left out', () => {
    expect(evidenceText(undefined)).toBe('');
    expect(evidenceText({ relation: null, graph: 4, fused: 2 })).toBe(
      ' Pairs are scored by evidence, in standard deviations above all pairs: graph from 4, ' +
        'the fused vectors from 2; left out: relations.',
    );
  });
});
