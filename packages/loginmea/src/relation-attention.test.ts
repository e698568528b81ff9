import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { createParameters, normal, selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallGraph, smallRelationCount } from './__fixtures__/small-model.js';
import { reflectionStates } from './propagation.js';
import {
  addRelationParameters,
  createRelationGraph,
  jointBlocks,
  neighbourhoodMean,
  relationKernels,
  sharedSetVectors,
  structureBlocks,
} from './relation-attention.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const draw = <T extends tf.Tensor>(shape: number[], stream: string) =>
  normal(shape, 1, createRandom(3).fork(stream)) as T;
const entity = () => draw<tf.Tensor2D>([5, 2], 'entity');
const relation = () => draw<tf.Tensor2D>([2 * smallRelationCount, 2], 'relation');
const kernel = () => draw<tf.Tensor1D>([2], 'kernel');

/** Senders of each entity with the rows of the relation table that join the pair. */
const neighbours: Record<number, [number, number[]][]> = {
  0: [[1, [1, 3]]],
  1: [
    [0, [5, 7]],
    [2, [2]],
  ],
  2: [[1, [6]]],
  3: [[3, [2, 6]]],
  4: [],
};

type Matrix = number[][];

/** The next state, pair by pair. */
function layer(h: Matrix, rho: Matrix, k: number[]): Matrix {
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  return h.map((_, i) => {
    const pairs = neighbours[i]!.map(([j, ids]) => {
      const sum = [0, 1].map((d) => ids.reduce((total, id) => total + rho[id]![d]!, 0));
      const r = sum.map((x) => x / Math.hypot(...sum));
      const message = h[j]!.map((x, d) => x - 2 * dot(h[j]!, r) * r[d]!);
      return { message, weight: Math.exp(dot(r, k)) };
    });
    const total = pairs.reduce((sum, { weight }) => sum + weight, 0);
    return [0, 1].map((d) =>
      Math.tanh(
        pairs.reduce((sum, { message, weight }) => sum + weight * message[d]!, 0) / total || 0,
      ),
    );
  });
}

function network(rho: tf.Tensor2D, kernels: tf.Tensor1D[]) {
  const graph = createRelationGraph(smallGraph);
  const setVectors = sharedSetVectors({ get: () => rho as tf.Variable<tf.Rank.R2> }, graph);
  return { graph, network: { pattern: graph.pattern, setVectors, kernels } };
}

describe('createRelationGraph', () => {
  it('has a row for every relation and its inverse and leaves rows 0 and R0 out', () => {
    const graph = createRelationGraph(smallGraph);
    expect(graph.pattern.averaging.columnCount).toBe(2 * smallRelationCount);
    const used = new Set(graph.pattern.averaging.columns.dataSync());
    expect([...used].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 5, 6, 7]);
    graph.dispose();
  });

  it('averages over an entity and its neighbours, each once', () => {
    const graph = createRelationGraph(smallGraph);
    const e = tf.tensor2d([3, 6, 12, 24, 48], [5, 1]);
    const expected = [[4.5], [7], [9], [24], [48]];
    expect(neighbourhoodMean(e, graph).arraySync()).toBeClose(expected, { rtol: 1e-6 });
    graph.dispose();
  });

  it('refuses triples of unknown entities and leaves nothing behind', async () => {
    const few = { ...smallGraph, entityCount: 2 };
    expect(() => createRelationGraph(few)).toThrow(/outside 0 \.\. 1/);
    const body = () => createRelationGraph(smallGraph).dispose();
    expect(await expectNoLeak(body)).toBeUndefined();
  });
});

describe('reflectionStates', () => {
  it('are those of the formula, pair by pair; without a neighbour 0', () => {
    const second = draw<tf.Tensor1D>([2], 'second');
    const { network: parts } = network(relation(), [kernel(), second]);
    const states = reflectionStates(entity(), parts).map((state) => state.arraySync());
    const rho = relation().arraySync();
    const h0 = entity()
      .arraySync()
      .map((row) => row.map(Math.tanh));
    const h1 = layer(h0, rho, kernel().arraySync());
    const h2 = layer(h1, rho, second.arraySync());
    expect(states).toBeClose([h0, h1, h2], { rtol: 1e-5, atol: 1e-6 });
    expect(states[1]![4]).toEqual([0, 0]);
  });

  it('has the gradient of its formula to start, relation table and kernel', async () => {
    const rows = (flat: Float64Array) =>
      Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
    const graph = createRelationGraph(smallGraph);
    await checkGradient(
      (start, rho, k) => {
        const setVectors = sharedSetVectors({ get: () => rho as tf.Variable }, graph);
        const parts = { pattern: graph.pattern, setVectors, kernels: [k as tf.Tensor1D] };
        return reflectionStates(start as tf.Tensor2D, parts)[1]!;
      },
      [entity(), relation(), kernel()],
      {
        reference: (start, rho, k) => {
          const h0 = rows(start!).map((row) => row.map(Math.tanh));
          return layer(h0, rows(rho!), Array.from(k!)).flat();
        },
      },
    );
    graph.dispose();
  });
});

describe('the output of the encoders', () => {
  it('begins with the mean of the neighbourhood, or with the early feature', () => {
    const { graph, network: parts } = network(relation(), [kernel()]);
    const fused = draw<tf.Tensor2D>([5, 2], 'fused');
    const early = draw<tf.Tensor2D>([5, 6], 'early');
    const structure = structureBlocks(entity(), graph, parts);
    const mean = tf.tanh(neighbourhoodMean(entity(), graph));
    expect(structure).toHaveLength(2);
    expect(structure[0]!.dataSync()).toEqual(mean.dataSync());
    const joint = jointBlocks({ fused, early }, parts);
    expect(joint.map(({ shape }) => shape)).toEqual([
      [5, 6],
      [5, 2],
    ]);
    expect(joint[0]!.dataSync()).toEqual(tf.tanh(early).dataSync());
    expect(joint[1]!.dataSync()).toEqual(reflectionStates(fused, parts)[1]!.dataSync());
  });

  it('refuses other shapes and leaves nothing behind', async () => {
    const { graph, network: parts } = network(relation(), [kernel()]);
    const e = entity();
    const wide = tf.zeros([5, 3]) as tf.Tensor2D;
    expect(() => structureBlocks(wide, graph, parts)).toThrow(/setVectors has shape/);
    const local = { fused: e, early: wide };
    const body = () => [structureBlocks(e, graph, parts), jointBlocks(local, parts)];
    expect(await expectNoLeak(body)).toBeUndefined();
  });
});

describe('addRelationParameters', () => {
  const started = (seed: number, before: number) => {
    const random = createRandom(seed);
    normal([before], 1, random).dispose();
    const parameters = createParameters();
    const encoders = ['structure', 'joint'] as const;
    const sizes = { entityCount: 70, directedRelations: 30, size: 50, layers: 2, encoders };
    addRelationParameters(parameters, sizes, random);
    return parameters;
  };

  it('starts Xavier-uniform', () => {
    const parameters = started(1, 0);
    const rows: Record<string, number> = { entity: 70, relation: 30 };
    expect(parameters.names()).toHaveLength(6);
    for (const name of parameters.names()) {
      const values = Array.from(parameters.get(name).dataSync());
      const bound = Math.sqrt(6 / ((rows[name] ?? 1) + 50));
      const largest = Math.max(...values.map(Math.abs));
      expect(largest, name).toBeLessThanOrEqual(bound);
      expect(largest, name).toBeGreaterThan(0.9 * bound);
    }
  });

  it('gives each parameter the stream of its name', () => {
    const [first, later, other] = [started(1, 0), started(1, 7), started(2, 0)];
    const kernels = relationKernels(first!, 'structure', 2);
    expect(kernels[0]!.dataSync()).not.toEqual(kernels[1]!.dataSync());
    const [joint] = relationKernels(first!, 'joint', 1);
    expect(joint!.dataSync()).not.toEqual(kernels[0]!.dataSync());
    for (const name of first!.names()) {
      const values = first!.get(name).dataSync();
      expect(later!.get(name).dataSync(), name).toEqual(values);
      expect(other!.get(name).dataSync(), name).not.toEqual(values);
    }
  });
});
