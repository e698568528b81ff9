import { describe, expect, it } from 'vitest';
import { memoryStore, settings } from './__fixtures__/memory-store.js';
import { explainSettings } from './explain.js';
import {
  conditionOf,
  publishedCurves,
  publishedDifferences,
  publishedModelOf,
  publishedModels,
} from './published.js';

const named = (name: string) => publishedModels.find((one) => one.name === name)!;

it.each([
  ['models/Llama-2-7b-chat-hf', 'Llama-2-7b-chat'],
  ['meta-llama/Meta-Llama-3-8B', 'Llama-3-8B'],
  ['/hub/models--mistralai--Mistral-7B-Instruct-v0.1/snapshots/0c', 'Mistral-7B-Instruct-v0.1'],
  ['llama-2-7b-hf/falcon-7b-instruct', 'Falcon-7b-instruct'],
  ['example:organism', undefined],
  ['Mistral-7B-Instruct-v0.2', undefined],
  ['Llama-2-7b-chat-tuned', undefined],
])('%s is %s of the chart', (path, name) => {
  expect(publishedModelOf(path)?.name).toBe(name);
});

describe('curves', () => {
  it('begin at chance in the embedding and end behind all blocks', () => {
    for (const model of publishedModels) {
      for (const condition of ['bare', 'chat format'] as const) {
        const [svm, mlp] = publishedCurves(model, condition);
        if (svm === undefined || mlp === undefined) continue;
        expect(svm.points[0]!.accuracy).toBeLessThanOrEqual(0.5);
        expect(mlp.points.at(-1)!.state).toBe(model.layerCount);
        for (const { points } of [svm, mlp]) {
          const states = points.map(({ state }) => state);
          expect(states).toEqual(states.toSorted((a, b) => a - b));
          for (const { accuracy, low, high } of points) {
            expect(low).toBeLessThanOrEqual(accuracy);
            expect(high).toBeGreaterThanOrEqual(accuracy);
            expect(high).toBeLessThanOrEqual(1);
          }
        }
      }
    }
  });
  it('leave out states where another curve hides them', () => {
    const [svm] = publishedCurves(named('Llama-2-7b-chat'), 'bare');
    expect(svm!.points.map(({ state }) => state)).toEqual([0, 1, 2, 3, 4, 5, 6, 32]);
  });
  it('say what the reading leaves open: ranges, and more where they are steep', () => {
    const [svm] = publishedCurves(named('Mistral-7B'), 'bare');
    const at = (state: number) => svm!.points.find((one) => one.state === state)!;
    expect(at(1)).toMatchObject({ low: 0.83, high: 0.85 });
    expect(at(3).high - at(3).low).toBeCloseTo(0.02);
    expect(at(11).high - at(11).low).toBeCloseTo(0.006);
  });
  it('are none for what the chart does not have', () => {
    expect(publishedCurves(named('Llama-2-7b'), 'chat format')).toEqual([]);
    expect([conditionOf('direct'), conditionOf('llama-2')]).toEqual(['bare', 'chat format']);
  });
});

describe('differences from the published settings', () => {
  const of = (counts: number[], ...set: string[]) => {
    const config = settings(...set);
    const { about } = memoryStore();
    return publishedDifferences({
      probes: {
        classes: counts.map((count, at) => ({ label: String(at), count })),
        settings: explainSettings(config),
      },
      about: { ...about, isNormed: config.states.isNormed },
      config,
    });
  };
  const official = ['data.deduplicate=false', 'states.isNormed=true', 'split.isStratified=false'];
  it('are none in mode official with 500 prompts of each class', () => {
    expect(of([500, 500], ...official)).toEqual([]);
  });
  it('are each named', () => {
    expect(of([500, 500])).toEqual([
      'data.deduplicate is true, published false',
      'states.isNormed is false, published true',
      'split.isStratified is true, published false',
    ]);
    const others = [...official, 'svm.isScaled=true', 'seed=1', 'mlp.maxEpochs=10'];
    expect(of([500, 499], ...others)).toEqual([
      'prompts is 500 + 499, published 500 + 500',
      'seed is 1, published 42',
      'svm.isScaled is true, published false',
      'mlp.maxEpochs is 10, published 300',
    ]);
  });
});
