import { selectBackend, tf } from '@lab/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallTask,
  smallTraining,
  withImages,
} from './__fixtures__/small-task.js';
import { explainBest, explainPair, explainPairs } from './explain.js';
import { explanationText } from './explanation-text.js';
import type { Encoding } from './learner.js';
import { trainEpochs } from './train.js';
import type { TrainingState } from './training-state.js';

let state: TrainingState;
let encoding: Encoding;
beforeAll(async () => {
  await selectBackend('wasm');
  const task = await smallTask(withImages(smallData()));
  state = smallTraining(task, smallConfig({ 'training.epochs': 20 }));
  await trainEpochs(state);
  encoding = state.learner.encode();
});
afterAll(() => {
  encoding.dispose();
  state.dispose();
});

const testPair = (at = 0) => {
  const { test } = state.task.split;
  return { source: test[2 * at]!, target: test[2 * at + 1]! };
};

describe('explainPair', () => {
  it('says what model and data have of a pair, and nothing leaks', async () => {
    const before = tf.memory().numTensors;
    const pair = testPair();
    const model = { coefficients: [0, 0, 0, 0], intercept: 0, pairs: 40 };
    const found = await explainPair(state, encoding, { ...pair, confidence: model });
    expect(tf.memory().numTensors).toBe(before);
    expect([found.source.entity, found.target.entity]).toEqual([pair.source, pair.target]);
    expect(found.source.name).toBe(state.task.data.entityNames[pair.source]);
    expect(found.confidence).toBe(0.5);
    expect(found.candidates).toEqual({ sources: 20, targets: 20 });
    expect(found.trainedOn).toBeNull();
    const names = found.modalities.map(({ modality }) => modality);
    expect([...names].sort()).toEqual([...state.learner.modalities].sort());
    const cosines = found.modalities.map(({ cosine }) => cosine);
    expect(cosines).toEqual([...cosines].sort((a, b) => (b ?? -2) - (a ?? -2)));
    for (const cosine of cosines) expect(Math.abs(cosine ?? 0)).toBeLessThanOrEqual(1.0001);
    expect(found.attributes.shared.length).toBeLessThanOrEqual(found.attributes.sourceCount);
  });

  it('names what an entity lacks', async () => {
    const imaged = new Set(state.task.data.images!.entities);
    for (let at = 0; at < 4; at += 1) {
      const { lacks, source } = await explainPair(state, encoding, testPair(at));
      expect(lacks.source.modalities.includes('image')).toBe(!imaged.has(source.entity));
    }
  });

  it('compares no modality that both lack', async () => {
    const imaged = new Set(state.task.data.images!.entities);
    const places = Array.from({ length: 20 }, (_, at) => at);
    const lacksBoth = (at: number) => !Object.values(testPair(at)).some((one) => imaged.has(one));
    const at = places.find(lacksBoth)!;
    const found = await explainPair(state, encoding, testPair(at));
    expect(found.modalities.at(-1)).toEqual({ modality: 'image', cosine: null });
    expect(explanationText(found, 80)).toMatch(/^ {2}image +both lack it$/m);
  });

  it('of a seed says that it was trained on; of half of one, what is known', async () => {
    const [source, target, , other] = Array.from(state.task.split.seeds);
    const seed = await explainPair(state, encoding, { source: source!, target: target! });
    expect(seed.trainedOn).toBe('seed');
    const wrong = await explainPair(state, encoding, { source: source!, target: other! });
    expect(wrong.trainedOn).toBeNull();
    expect(wrong.otherCounterparts.source.map(({ entity }) => entity)).toEqual([target]);
    expect(wrong.otherCounterparts.target).toHaveLength(1);
    expect(wrong.rank).toBeGreaterThan(1);
  });

  it('finds known neighbours of true pairs', async () => {
    const pairs = Array.from({ length: 20 }, (_, at) => testPair(at));
    const found = await explainPairs(state, encoding, { pairs });
    const known = found.reduce((sum, { knownNeighbours }) => sum + knownNeighbours, 0);
    expect(known).toBeGreaterThan(10);
    expect(found[0]).toEqual(await explainPair(state, encoding, testPair(0)));
    expect(await explainPairs(state, encoding, { pairs: [] })).toEqual([]);
  });
});

describe('explainBest', () => {
  it('explains the first candidates in order; a known counterpart is one', async () => {
    const { source } = testPair();
    const found = await explainBest(state, encoding, { source });
    expect(found.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    const [seeded, target] = state.task.split.seeds as unknown as [number, number];
    const [first] = await explainBest(state, encoding, { source: seeded, count: 1 });
    expect([first!.target.entity, first!.trainedOn]).toEqual([target, 'seed']);
  });
});

describe('explanationText', () => {
  it('says it within 100 columns', async () => {
    const [found] = await explainBest(state, encoding, { source: testPair(2).source });
    const text = explanationText(found!, 100);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(text).toMatch(/rank 1 of 20 targets, backwards \d+ of 20 sources/);
    expect(text).toMatch(/^ {2}modality +cosine/m);
    expect(text).toContain('attributes in common:');
  });

  it('names the missing, the known and the rest', () => {
    const entity = (name: string) => ({ entity: 0, name });
    const link = (relation: string, isInverse: boolean) => [{ relation, isInverse }];
    const text = explanationText(
      {
        source: entity('http://a/Lyon'),
        target: entity('http://b/Lione'),
        confidence: 0.5,
        ...{ cosine: 0.9, score: -0.012, margin: 0.1, backwardMargin: 0.2 },
        ...{ rank: 1, backwardRank: 1, mutual: true, trainedOn: 'pseudo-seed' },
        candidates: { sources: 1, targets: 2000 },
        otherCounterparts: { source: [entity('http://b/Lyon')], target: [] },
        modalities: [
          { modality: 'graph', cosine: 0.9 },
          { modality: 'image', cosine: null },
        ],
        neighbours: [
          {
            source: entity(`http://a/${'long'.repeat(30)}`),
            target: entity('http://b/Rhone'),
            kind: 'seed',
            cosine: 0.8,
            sourceLinks: link('http://a/river', false),
            targetLinks: link('http://b/flows', true),
          },
        ],
        knownNeighbours: 1,
        attributes: {
          shared: Array.from({ length: 8 }, (_, at) => `attribute ${at}`),
          sourceCount: 9,
          targetCount: 10,
        },
        lacks: {
          source: { modalities: ['image'], neighbours: [entity('http://b/Saone')] },
          target: { modalities: ['image'], neighbours: [] },
        },
      },
      80,
    );
    expect(text).toBe(`Lyon = Lione ?
  source  http://a/Lyon
  target  http://b/Lione
  confidence .50, score -.012, margin .100, cosine .900
  rank 1 of 2,000 targets, backwards 1 of 1 source: each is the best of the other
  trained on: the pair is a pseudo-seed of the run
  the source has a known counterpart: Lyon

  modality  cosine
  graph       .900
  image             both lack it

  neighbours in common (1 known pair)
    kind  cosine  of the source          by relation  of the target  by relation
    seed     .80  longlonglonglonglo...  river        Rhone          <- flows

  attributes in common: 8 of 9 and 10
    attribute 0, attribute 1, attribute 2, attribute 3, attribute 4,
    attribute 5, and 2 more

  the source lacks 1 known neighbour of the target:
    Saone
`);
  });
});
