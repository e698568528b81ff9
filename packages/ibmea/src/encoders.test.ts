import { createRandom } from '@lab/core';
import { createCsr, createParameters, ones, selectBackend, tf, zeros } from '@lab/tensor';
import '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallModel,
  smallTask,
  valuesOf,
  withImages,
} from './__fixtures__/small-task.js';
import { encodeGraph, noDropout } from './encoders.js';
import { epochDropout } from './noise.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** A path 0 - 1 and the isolated node 2, with self loops. */
const pathCsr = () =>
  createCsr({
    rowCount: 3,
    columnCount: 3,
    rowPointers: Int32Array.of(0, 2, 4, 5),
    columns: Int32Array.of(0, 1, 0, 1, 2),
  });

const features = [
  [1, 0.5, 2, 0],
  [0, 1, -1, 3],
  [4, -2, 0.5, 1],
];

/** One attention layer of two heads, without bottleneck: the network's bare output. */
function attentionOutput(entity: number[][], attention: number[], weights: number[][]): number[][] {
  const parameters = createParameters();
  parameters.add('entity', tf.tensor2d(entity));
  parameters.add('graphMean.layer0.weight', tf.tensor2d(weights));
  parameters.add('graphMean.layer0.attention', tf.tensor2d([attention, attention]));
  const config = smallConfig({ 'model.layers': 1, 'model.bottlenecks': [] }).model;
  const neighbours = pathCsr();
  const inputs = { entityCount: 3, neighbours, image: null, relation: null, attribute: null };
  const { mean, scale } = encodeGraph({
    parameters,
    config,
    inputs: { ...inputs, dispose: () => neighbours.dispose() },
    dropout: noDropout,
    isRecomputed: false,
  });
  expect(scale).toBeNull();
  return mean.arraySync() as number[][];
}

describe('the attention layer', () => {
  const attention = [0.3, -0.2, 0.1, 0.4, -0.5, 0.2, 0.7, -0.1];
  const unit = [
    [1, 1, 1, 1],
    [1, 1, 1, 1],
  ];

  it('has rows of weights that sum to 1: equal features stay as they are', () => {
    const same = [features[0]!, features[0]!, features[0]!];
    const output = attentionOutput(same, attention, unit);
    for (const row of output) expect(row).toBeClose(features[0], { atol: 1e-6 });
  });

  it('gives an isolated node its own vector, weighted by the mean of the heads', () => {
    expect(attentionOutput(features, attention, unit)[2]).toBeClose(features[2], { atol: 1e-6 });
    const weights = [
      [2, 2, 2, 2],
      [4, 4, 4, 4],
    ];
    const tripled = features[2]!.map((x) => 3 * x);
    expect(attentionOutput(features, attention, weights)[2]).toBeClose(tripled, { atol: 1e-5 });
  });

  it('weighs by exp of minus LeakyReLU of the score', () => {
    const output = attentionOutput(features, attention, unit);
    const logit = (i: number, j: number) => {
      const pair = [...features[i]!, ...features[j]!];
      const score = pair.reduce((sum, x, at) => sum + x * attention[at]!, 0);
      return -(score > 0 ? score : 0.2 * score);
    };
    const [own, other] = [Math.exp(logit(0, 0)), Math.exp(logit(0, 1))];
    const expected = features[0]!.map(
      (x, at) => (own * x + other * features[1]![at]!) / (own + other),
    );
    expect(output[0]).toBeClose(expected, { rtol: 1e-5, atol: 1e-6 });
  });
});

describe('posteriors of a model', () => {
  it.each([
    ['official', 'elu'],
    ['corrected', 'softplus'],
  ] as const)('mode %s: LayerNorm mean, %s deviation', async (mode, form) => {
    const task = await smallTask();
    const config = smallConfig({}, mode);
    const { model, dispose } = smallModel(task, config);
    const { graph } = model.encode(noDropout);
    const mean = graph!.mean.arraySync() as number[][];
    for (const row of mean.slice(0, 5)) {
      expect(row.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 3);
      // Layer normalisation with epsilon 1e-5 of rows whose variance is about 1/80.
      expect(row.reduce((sum, x) => sum + x * x, 0) / row.length).toBeCloseTo(1, 1);
    }
    const scale = graph!.scale!.dataSync();
    expect(config.model.graphScale).toBe(form);
    if (form === 'elu') expect(Math.min(...scale)).toBeLessThan(0);
    else expect(Math.min(...scale)).toBeGreaterThan(0);
    dispose();
  });

  it('of features: positive deviations, zero rows all alike', async () => {
    const task = await smallTask(withImages(smallData()));
    const { model, inputs, dispose } = smallModel(task, smallConfig());
    const posteriors = model.encode(noDropout);
    for (const modality of ['image', 'relation', 'attribute'] as const) {
      const { mean, scale } = posteriors[modality]!;
      expect(mean.shape).toEqual([inputs.entityCount, 6]);
      expect(Math.min(...scale!.dataSync())).toBeGreaterThan(0);
    }
    dispose();
  });

  it('start with deviations smaller by the configured factor', async () => {
    const task = await smallTask();
    const scalesWith = (initialScale: number) => {
      const { model, dispose } = smallModel(
        task,
        smallConfig({ 'model.initialScale': initialScale }),
      );
      const { graph, relation } = model.encode(noDropout);
      const [ofGraph, ofRelation] = [graph, relation].map((one) => one!.scale!.dataSync());
      dispose();
      return { graph: ofGraph!.map((scale) => scale - 1e-4), relation: ofRelation! };
    };
    const [whole, tenth] = [scalesWith(1), scalesWith(0.1)];
    for (const modality of ['graph', 'relation'] as const) {
      const expected = Array.from(whole[modality], (scale) => scale / 10);
      expect(Array.from(tenth[modality])).toBeClose(expected, { rtol: 1e-4, atol: 1e-6 });
    }
  });

  it('without bottleneck: the hidden layer alone', async () => {
    const task = await smallTask();
    const { model, dispose } = smallModel(task, smallConfig({ 'model.bottlenecks': [] }));
    const posteriors = model.encode(noDropout);
    expect(Object.keys(posteriors).sort()).toEqual(['attribute', 'graph', 'relation']);
    for (const { scale } of Object.values(posteriors)) expect(scale).toBeNull();
    expect(model.parameters.names()).not.toContain('relation.mean.weight');
    expect(model.parameters.names()).not.toContain('graphNorm.gain');
    // A plain encoder has no ReLU: some outputs are negative.
    expect(Math.min(...posteriors.relation!.mean.dataSync())).toBeLessThan(0);
    dispose();
  });

  it('structure encoder gcn has one weight vector per layer and no attention', async () => {
    const task = await smallTask();
    const config = smallConfig({ 'model.structureEncoder': 'gcn' });
    const { model, dispose } = smallModel(task, config);
    expect(model.parameters.get('graphMean.layer0.weight').shape).toEqual([12]);
    expect(model.parameters.names().filter((name) => name.includes('attention'))).toEqual([]);
    expect(model.encode(noDropout).graph!.mean.shape).toEqual([80, 12]);
    dispose();
  });

  it('instance normalisation makes the graph blind to shift and scale of a feature', async () => {
    const task = await smallTask();
    const outputs = [false, true].map((isNormed) => {
      const { model, dispose } = smallModel(task, smallConfig({ 'model.instanceNorm': isNormed }));
      const before = valuesOf(model.encode(noDropout).graph!.mean);
      const moved = tf.add(tf.mul(model.parameters.get('entity'), 3), 0.5);
      model.parameters.get('entity').assign(moved);
      const after = valuesOf(model.encode(noDropout).graph!.mean);
      dispose();
      return { before, after };
    });
    // A variance of 1/80 against the epsilon of 1e-5 lets the scale show in the fourth digit.
    expect(outputs[1]!.after).toBeClose(outputs[1]!.before, { atol: 5e-3 });
    const change = outputs[0]!.after.map((x, at) => Math.abs(x - outputs[0]!.before[at]!));
    expect(Math.max(...change)).toBeGreaterThan(0.05);
  });

  it('dropout changes the posterior of the graph only', async () => {
    const task = await smallTask();
    const { model, dispose } = smallModel(task, smallConfig());
    const still = model.encode(noDropout);
    const dropped = model.encode(epochDropout(0.45, createRandom(1)));
    expect(valuesOf(dropped.graph!.mean)).not.toEqual(valuesOf(still.graph!.mean));
    expect(valuesOf(dropped.relation!.mean)).toEqual(valuesOf(still.relation!.mean));
    dispose();
  });
});

describe('unusual widths', () => {
  it('layer normalisation of constant rows is the bias', () => {
    const parameters = createParameters();
    parameters.add('entity', ones([3, 4]));
    parameters.add('graphMean.layer0.weight', ones([2, 4]));
    parameters.add('graphMean.layer0.attention', zeros([2, 8]));
    parameters.add('graphScale.layer0.weight', ones([2, 4]));
    parameters.add('graphScale.layer0.attention', zeros([2, 8]));
    parameters.add('graphNorm.gain', ones([4]));
    parameters.add('graphNorm.bias', zeros([4]));
    const config = smallConfig({ 'model.layers': 1, 'model.initialScale': 1 }).model;
    const inputs = { entityCount: 3, image: null, relation: null, attribute: null };
    const { mean, scale } = encodeGraph({
      parameters,
      config,
      inputs: { ...inputs, neighbours: pathCsr(), dispose: () => undefined },
      dropout: noDropout,
      isRecomputed: false,
    });
    expect(Math.max(...valuesOf(mean).map(Math.abs))).toBeLessThan(1e-3);
    expect(scale!.dataSync()[0]).toBeCloseTo(Math.log1p(Math.E) + 1e-4, 4);
  });
});
