import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining } from './__fixtures__/small-task.js';
import type { Encoding } from './learner.js';
import { pairsToReview, reasonText, reviewColumns, reviewQuestion, writeReview } from './review.js';
import { trainEpochs } from './train.js';
import type { TrainingState } from './training-state.js';

let state: TrainingState;
let encoding: Encoding;
beforeAll(async () => {
  await selectBackend('wasm');
  state = smallTraining(await smallTask(undefined, 0.2), smallConfig({ 'training.epochs': 12 }));
  await trainEpochs(state);
  encoding = state.learner.encode();
});
afterAll(() => {
  encoding.dispose();
  state.dispose();
});

describe('pairsToReview', () => {
  it('lists the lowest margins first, without the sources of known pairs', async () => {
    const before = tf.memory().numTensors;
    const pairs = await pairsToReview(state, encoding);
    expect(tf.memory().numTensors).toBe(before);
    expect(pairs).toHaveLength(20);
    const margins = pairs.map(({ margin }) => margin);
    expect(margins).toEqual([...margins].sort((a, b) => a - b));
    const known = new Set([...state.task.split.seeds, ...state.task.split.validation]);
    for (const { explanation, second } of pairs) {
      expect(known.has(explanation.source.entity)).toBe(false);
      expect(explanation.rank).toBe(1);
      expect(second!.entity).not.toBe(explanation.target.entity);
    }
  });

  it('with a confidence lists what is nearest to even odds, or by margin on demand', async () => {
    const confidence = { coefficients: [0, 8, 0, 0], intercept: -1, pairs: 40 };
    const pairs = await pairsToReview(state, encoding, { confidence, count: 6 });
    const doubts = pairs.map((pair) => Math.abs(pair.confidence! - 0.5));
    expect(doubts).toEqual([...doubts].sort((a, b) => a - b));
    expect(pairs).toHaveLength(6);
    const byMargin = await pairsToReview(state, encoding, { confidence, by: 'margin', count: 3 });
    const plain = await pairsToReview(state, encoding, { count: 3 });
    expect(byMargin.map(({ margin }) => margin)).toEqual(plain.map(({ margin }) => margin));
  });

  it('does not propose refused pairs again', async () => {
    const [first] = await pairsToReview(state, encoding, { count: 1 });
    const { source, target } = first!.explanation;
    const refused = Int32Array.of(source.entity, target.entity);
    const pairs = await pairsToReview(state, encoding, { refused });
    const again = pairs.find(({ explanation }) => explanation.source.entity === source.entity)!;
    expect(again.explanation.target.entity).toBe(first!.second!.entity);
  });
});

describe('reasonText', () => {
  it('names the best modality that both have, and known neighbours', async () => {
    const [pair] = await pairsToReview(state, encoding, { count: 1 });
    const { explanation } = pair!;
    const lacks = { modalities: [], neighbours: [] };
    const plain = {
      ...explanation,
      modalities: [
        { modality: 'image', cosine: 0.99 },
        { modality: 'graph', cosine: 0.5 },
      ] as const,
      lacks: { source: { ...lacks, modalities: ['image'] as const }, target: lacks },
      neighbours: [],
      knownNeighbours: 0,
    };
    expect(reasonText(plain)).toBe('most alike by graph (.50); no known neighbour in common');
    const names = ['http://a/b', 'c', 'd', 'e'].map((name) => ({ entity: 0, name }));
    const neighbours = names.map((entity) => ({
      ...{ source: entity, target: entity, kind: 'seed' as const, cosine: 1 },
      ...{ sourceLinks: [], targetLinks: [] },
    }));
    expect(reasonText({ ...plain, neighbours, knownNeighbours: 4 })).toBe(
      'most alike by graph (.50); 4 known neighbours in common: b, c, d, ...',
    );
  });
});

describe('a review file and page', () => {
  it('have the same cells, and an empty column for the decision', async () => {
    const path = join(temporaryFolder(), 'review.csv');
    const pairs = await pairsToReview(state, encoding, { count: 2 });
    await writeReview(path, pairs);
    const [header, first] = readFileSync(path, 'utf8').split('\n');
    expect(header).toBe(reviewColumns.join(','));
    expect(first!.endsWith(',')).toBe(true);
    const question = reviewQuestion(pairs[0]!);
    expect(first!.startsWith(question.cells.slice(0, 2).join(','))).toBe(true);
    expect(question.cells).toHaveLength(reviewColumns.length - 1);
    expect(question.evidence).toMatch(/^modality +cosine\n/);
    expect(question.others).toEqual([pairs[0]!.second!.name]);
  });
});
