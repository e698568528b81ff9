import { createRandom } from '@lab/core';
import { type CsrTensors, HostRows, selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { bothModels, hostPair } from './__fixtures__/blockwise-pair.js';
import { createBlockwiseModel, loadBlockwise } from './blockwise-model.js';
import { createHostGraph, featureBlock, featureOrder } from './host-inputs.js';
import { createRelationGraph } from './relation-attention.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const small = { size: 6, rank: 2 };

describe('createBlockwiseModel', () => {
  it('starts from the values of the whole model', async () => {
    const thrown = await expectNoLeak(async () => {
      const both = bothModels(40, small);
      const { whole, blockwise } = both;
      const { entity, ...others } = await whole.parameters.toArrays();
      expect(await blockwise.parameters.toArrays()).toEqual(others);
      expect(blockwise.entity.values).toEqual(entity!.data);
      expect(blockwise.settings).toEqual(whole.settings);
      expect(blockwise.width).toBe((2 + 2 * 2 + 1) * 6);
      both.dispose();
    });
    expect(thrown).toBeUndefined();
  });

  it('takes the parameters of a whole model, and its table by itself', async () => {
    const both = bothModels(40, small);
    const { whole, blockwise } = both;
    const record = await whole.parameters.toArrays();
    for (const { data } of Object.values(record)) data.forEach((x, i) => (data[i] = x + 1));
    loadBlockwise(blockwise, record);
    expect(blockwise.entity.values).toEqual(record['entity']!.data);
    expect(await blockwise.parameters.toArrays()).toEqual(
      Object.fromEntries(Object.entries(record).filter(([name]) => name !== 'entity')),
    );
    const entity = { shape: [1, 6], data: new Float32Array(6) };
    expect(() => loadBlockwise(blockwise, { ...record, entity })).toThrow(/have 6 values/);
    expect(() => loadBlockwise(blockwise, {})).toThrow(/missing/);
    both.dispose();
  });

  it('refuses graph convolution, and inputs that do not fit', async () => {
    const { inputs } = hostPair(40);
    const make = (changed: Partial<typeof inputs>, settings = {}) =>
      expectNoLeak(() =>
        createBlockwiseModel({ ...inputs, ...changed }, { ...small, ...settings }, createRandom(1)),
      );
    expect(String(await make({}, { propagation: 'gcn' }))).toMatch(/gcn is not computed/);
    expect(String(await make({}, { rank: 0 }))).toMatch(/rank is 0/);
    expect(String(await make({ features: {} }))).toMatch(/no modality at all/);
    const image = { rowCount: 3, columnCount: 1, values: new Float32Array(3) };
    expect(String(await make({ features: { image } }))).toMatch(
      /image have 3 rows, the graph has 80/,
    );
    expect(String(await make({ available: new Float32Array(4) }))).toMatch(/available have 2 rows/);
  });
});

describe('createHostGraph', () => {
  it('holds the arrays behind createRelationGraph', () => {
    const { data } = hostPair(40);
    const [host, graph] = [createHostGraph(data), createRelationGraph(data)];
    const matrices = [
      [host.mean, graph.mean],
      [host.pairs.neighbours, graph.pattern.neighbours],
      [host.pairs.averaging, graph.pattern.averaging],
    ] as const;
    for (const [arrays, tensors] of matrices) {
      expect(tensors.columnCount).toBe(arrays.columnCount);
      expect(tensors.rowPointers.dataSync()).toEqual(arrays.rowPointers);
      expect(tensors.columns.dataSync()).toEqual(arrays.columns);
      expect(tensors.values?.dataSync()).toEqual(arrays.values);
    }
    expect(graph.pattern.receivers.columns.dataSync()).toEqual(host.pairs.sets);
    graph.dispose();
  });
});

describe('featureOrder', () => {
  it('puts entities with the same features together, and those with their own last', () => {
    const rows = (...values: number[]) => ({
      rowCount: values.length,
      columnCount: 9,
      rowPointers: Int32Array.from({ length: values.length + 1 }, (_, i) => i),
      columns: Int32Array.from(values),
    });
    const relation = rows(1, 2, 3, 2, 4, 5, 2, 3);
    const attribute = rows(7, 7, 0, 8, 7, 8, 1, 2);
    const { places, entities } = featureOrder({ relation, attribute });
    // By attribute 7, 8 and the three alone; within each by relation 2, 3 and those alone.
    expect(entities).toEqual(Int32Array.of(1, 0, 4, 3, 5, 6, 2, 7));
    entities.forEach((entity, place) => expect(places[entity]).toBe(place));
  });
});

describe('featureBlock', () => {
  it('gives the rows of some entities', async () => {
    const thrown = await expectNoLeak(() => {
      const { inputs } = hostPair(40, { images: true });
      const available = Float32Array.from({ length: 240 }, (_, i) => i % 2);
      const entities = Int32Array.of(50, 7);
      const { numbers } = featureOrder(inputs.features);
      const block = featureBlock({ ...inputs, available }, entities, {
        numbers,
        mostDistinct: 0.5,
      });
      const image = inputs.features.image as { values: Float32Array };
      const rows = new HostRows(80, 3, image.values).gather(entities);
      expect((block.features.image as typeof rows).arraySync()).toEqual(rows.arraySync());
      expect(block.available!.arraySync()).toEqual([
        [0, 1, 0],
        [1, 0, 1],
      ]);
      const relation = block.features.relation as CsrTensors;
      expect([relation.rowCount, relation.columnCount]).toEqual([
        2,
        inputs.features.relation!.columnCount,
      ]);
      rows.dispose();
      block.dispose();
    });
    expect(thrown).toBeUndefined();
  });
});
