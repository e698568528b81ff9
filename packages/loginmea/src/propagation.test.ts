import '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallGraph, smallRelationCount } from './__fixtures__/small-model.js';
import { propagationStates, usesRelations } from './propagation.js';
import { createRelationGraph, sharedSetVectors } from './relation-attention.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const start = () => tf.tensor2d([0.5, -1, 2, 0.3, -0.7, 0.1, 1, 1, 0.4, -0.2], [5, 2]);
/** Neighbours of each entity: 3 has a triple with itself, 4 has none. */
const neighbours = [[1], [0, 2], [1], [3], []];
/** The same with the entity itself, once. */
const around = [[0, 1], [0, 1, 2], [1, 2], [3], [4]];

const rowsOf = (flat: ArrayLike<number>) =>
  [0, 1, 2, 3, 4].map((i) => [flat[2 * i]!, flat[2 * i + 1]!]);
const average = (rows: number[][]) =>
  [0, 1].map((d) => rows.reduce((sum, row) => sum + row[d]!, 0) / Math.max(1, rows.length));

describe('propagation by means', () => {
  const twin = (x: ArrayLike<number>) => {
    const h = rowsOf(x).map((row) => row.map(Math.tanh));
    return neighbours.flatMap((js) => average(js.map((j) => h[j]!)).map(Math.tanh));
  };

  it('is the mean over the neighbours; 0 without any; with the gradient of that', async () => {
    const graph = createRelationGraph(smallGraph);
    const network = {
      propagation: 'mean',
      neighbours: graph.pattern.neighbours,
      layers: 1,
    } as const;
    const states = propagationStates(start(), network);
    expect(states).toHaveLength(2);
    expect(states[0]!.dataSync()).toEqual(tf.tanh(start()).dataSync());
    expect(Array.from(states[1]!.dataSync())).toBeClose(twin(start().dataSync()), { rtol: 1e-5 });
    await checkGradient((x) => propagationStates(x as tf.Tensor2D, network)[1]!, [start()], {
      reference: (x) => twin(x!),
    });
    graph.dispose();
  });
});

describe('propagation by convolution', () => {
  const weight = () => tf.tensor2d([1, 2, -0.5, 0.25], [2, 2]);
  const twin = (x: ArrayLike<number>, w: ArrayLike<number>) => {
    const h = rowsOf(x).map((row) => row.map(Math.tanh));
    return around.flatMap((js) => {
      const sum = [0, 1].map((d) =>
        js.reduce((all, j) => all + h[j]![d]! / Math.sqrt(js.length * around[j]!.length), 0),
      );
      return [0, 1].map((d) => Math.tanh(sum[0]! * w[d]! + sum[1]! * w[2 + d]!));
    });
  };

  it('is the normalised sum with the entity itself, with the gradient of that', async () => {
    const { convolution, ...graph } = createRelationGraph(smallGraph);
    const networkOf = (w: tf.Tensor) =>
      ({ propagation: 'gcn', convolution, weights: [w as tf.Tensor2D] }) as const;
    const [, next] = propagationStates(start(), networkOf(weight()));
    const expected = twin(start().dataSync(), weight().dataSync());
    expect(Array.from(next!.dataSync())).toBeClose(expected, { rtol: 1e-5, atol: 1e-7 });
    await checkGradient(
      (x, w) => propagationStates(x as tf.Tensor2D, networkOf(w))[1]!,
      [start(), weight()],
      { reference: (x, w) => twin(x!, w!) },
    );
    graph.dispose();
  });
});

describe('propagation by relation attention', () => {
  const table = (rows: number[][]) => ({
    get: () => tf.variable(tf.tensor2d(rows)) as tf.Variable<tf.Rank.R2>,
  });
  const rows = Array.from({ length: 2 * smallRelationCount }, (_, k) => [
    Math.cos(k + 0.3),
    Math.sin(k + 0.3),
  ]);

  it('adds neighbours as they are, without reflection', () => {
    const graph = createRelationGraph(smallGraph);
    const { pattern } = graph;
    const setVectors = sharedSetVectors(table(rows), graph);
    const kernels = [tf.tensor1d([1, -2])];
    const network = { propagation: 'gat', pattern, setVectors, kernels } as const;
    const [h, next] = propagationStates(start(), network).map((state) => state.arraySync());
    // 0 to 1 carries relations 0 and 2 inverted, rows 5 and 7; 2 to 1 carries relation 1, row 2
    const mean = [rows[5]![0]! + rows[7]![0]!, rows[5]![1]! + rows[7]![1]!];
    const scores = [mean, rows[2]!].map(([x, y]) => (x! - 2 * y!) / Math.hypot(x!, y!));
    const share = 1 / (1 + Math.exp(scores[1]! - scores[0]!));
    const mixed = [0, 1].map((d) => Math.tanh(share * h![0]![d]! + (1 - share) * h![2]![d]!));
    expect(next![1]).toBeClose(mixed, { rtol: 1e-5 });
    expect(next![0]).toBeClose(h![1]!.map(Math.tanh), { rtol: 1e-5 });
    expect(next![4]).toEqual([0, 0]);
    graph.dispose();
  });

  it('can take the first relation of a set for all of them', () => {
    const graph = createRelationGraph(smallGraph);
    const one = sharedSetVectors(table(rows), graph, 'one').arraySync();
    // sets by first appearance: pair (0, 1) has rows 1 and 3, (1, 0) 5 and 7, (1, 2) 2, (2, 1) 6
    expect(one.slice(0, 4)).toBeClose([rows[1]!, rows[5]!, rows[2]!, rows[6]!], { rtol: 1e-5 });
    const mean = sharedSetVectors(table(rows), graph).arraySync();
    expect(mean[0]).not.toEqual(one[0]);
    expect(mean[2]).toEqual(one[2]);
    graph.dispose();
  });
});

describe('every rule', () => {
  it('says whether it reads the relation table', () => {
    const all = ['reflection', 'gat', 'gcn', 'mean'] as const;
    expect(all.map(usesRelations)).toEqual([true, true, false, false]);
  });

  it('leaves nothing behind', async () => {
    const graph = createRelationGraph(smallGraph);
    const { pattern, convolution } = graph;
    const x = start();
    const weights = [tf.ones([2, 2]) as tf.Tensor2D];
    const kernels = [tf.tensor1d([1, -2])];
    const setVectors = tf.ones([pattern.receivers.columnCount, 2]) as tf.Tensor2D;
    for (const network of [
      { propagation: 'reflection', pattern, setVectors, kernels },
      { propagation: 'gat', pattern, setVectors, kernels },
      { propagation: 'gcn', convolution, weights },
      { propagation: 'mean', neighbours: pattern.neighbours, layers: 2 },
    ] as const) {
      expect(await expectNoLeak(() => propagationStates(x, network))).toBeUndefined();
    }
    graph.dispose();
  });
});
