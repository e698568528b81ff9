import { createRandom } from '@lab/core';
import { relativeError } from '@lab/core/testing';
import { createCsr, normal, selectBackend, tf, valueAndGradients } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { distinctFeatures } from './distinct-features.js';
import { localInteraction } from './local-interaction.js';
import { createModel, type ModelSettings } from './model.js';
import {
  createNetworks,
  createRelationGraph,
  jointBlocks,
  structureBlocks,
} from './relation-attention.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Rows of twelve entities: four different ones, the last of them empty. */
const order = [0, 1, 0, 2, 2, 3, 1, 0, 3, 2, 0, 1];
const kinds = [
  { columns: [0, 2], values: [1, 2] },
  { columns: [0, 2], values: [1, 3] },
  { columns: [1], values: [1] },
  { columns: [], values: [] },
];

/** The rows as CSR; with two columns the last of the three is the second. */
function csrOf(rows: readonly number[], { hasValues = true, columnCount = 3 } = {}) {
  const entries = rows.map((kind) => kinds[kind]!);
  const rowPointers = new Int32Array(rows.length + 1);
  entries.forEach(({ columns }, row) => {
    rowPointers[row + 1] = rowPointers[row]! + columns.length;
  });
  return createCsr({
    rowCount: rows.length,
    columnCount,
    rowPointers,
    columns: Int32Array.from(
      entries.flatMap(({ columns }) => columns.map((c) => Math.min(c, columnCount - 1))),
    ),
    ...(hasValues ? { values: Float32Array.from(entries.flatMap(({ values }) => values)) } : {}),
  });
}

describe('distinctFeatures', () => {
  it('has each row once, by first appearance, and the place of every entity', () => {
    const found = distinctFeatures(csrOf(order))!;
    expect(found.rows.rowCount).toBe(4);
    expect(Array.from(found.rows.rowPointers.dataSync())).toEqual([0, 2, 4, 5, 5]);
    expect(Array.from(found.rows.columns.dataSync())).toEqual([0, 2, 0, 2, 1]);
    expect(Array.from(found.rows.values!.dataSync())).toEqual([1, 2, 1, 3, 1]);
    expect(found.spread.columnCount).toBe(4);
    expect(Array.from(found.spread.columns.dataSync())).toEqual(order);
    expect(Array.from(found.spread.rowPointers.dataSync())).toEqual([...order.keys(), 12]);
  });

  it('compares columns alone where the entries have no values', () => {
    const found = distinctFeatures(csrOf(order, { hasValues: false }))!;
    expect(found.rows.rowCount).toBe(3);
    expect(found.rows.values).toBeNull();
    expect(Array.from(found.spread.columns.dataSync().slice(0, 6))).toEqual([0, 0, 0, 1, 1, 2]);
  });

  it('is null for dense features and where more than half of the rows are distinct', () => {
    expect(distinctFeatures(tf.ones([4, 2]) as tf.Tensor2D)).toBeNull();
    expect(distinctFeatures(csrOf([0, 1, 2]))).toBeNull();
    expect(distinctFeatures(csrOf([0, 1, 0]))).toBeNull();
    expect(distinctFeatures(csrOf([0, 1, 0, 1]))).not.toBeNull();
  });

  it('leaves nothing behind but its parts', async () => {
    const features = csrOf(order);
    const body = () => {
      const { rows, spread } = distinctFeatures(features)!;
      for (const part of [rows, spread]) part.dispose();
    };
    expect(await expectNoLeak(body)).toBeUndefined();
  });
});

const mask = () =>
  tf.tensor2d(
    Float32Array.from({ length: 24 }, (_, i) => (i % 5 ? 1 : 0)),
    [12, 2],
  );

const cases: readonly [string, ModelSettings, boolean, number?][] = [
  ['low-rank fusion', {}, false],
  ['low-rank fusion of fewer columns than rows', {}, false, 2],
  ['the same, masked', { modalityWeights: 'uniform' }, true, 2],
  ['low-rank fusion, masked', {}, true],
  ['uniform weights', { modalityWeights: 'uniform' }, true],
  ['sum', { fusion: 'sum' }, true],
  ['concatenation', { fusion: 'concatenation' }, false],
  ['early feature only', { fusion: 'early-only' }, true],
];

describe.each(cases)(
  'a model over few distinct rows, %s',
  (_, settings, isMasked, columnCount = 3) => {
    function problem() {
      const heads = Int32Array.of(0, 1, 2, 3, 4, 6, 7, 8, 9, 10);
      const tails = Int32Array.of(1, 2, 3, 4, 5, 7, 8, 9, 10, 11);
      const triples = { heads, relations: heads.map((h) => h % 3), tails, leftCount: 5 };
      const graph = createRelationGraph({ entityCount: 12, triples });
      const image = normal([12, 5], 1, createRandom(3)) as tf.Tensor2D;
      const attribute = csrOf(order, { columnCount });
      const available = isMasked ? mask() : null;
      const inputs = { graph, features: { image, attribute }, available };
      const sizes = { size: 6, rank: 3, fusionStart: 'unit' } as const;
      const model = createModel(inputs, { ...sizes, ...settings }, createRandom(1));
      const dispose = () => {
        for (const part of [model, graph, image, attribute, available]) part?.dispose();
      };
      return { inputs, model, dispose };
    }

    it('equals the one that computes every entity by itself, in values and gradients', () => {
      const { inputs, model, dispose } = problem();
      const { parameters, settings: complete } = model;
      const probe = normal(model.embed().shape, 1, createRandom(5));
      const apart = () => {
        const networkOf = createNetworks(parameters, inputs.graph, complete);
        const entity = parameters.get('entity') as tf.Tensor as tf.Tensor2D;
        const structure = structureBlocks(entity, inputs.graph, networkOf('structure'));
        const local = localInteraction(inputs, parameters, complete);
        const network = complete.fusion === 'early-only' ? null : networkOf('joint');
        return tf.concat([...structure, ...jointBlocks(local, network)], 1);
      };
      const scalarOf = (o: tf.Tensor) => tf.sum(tf.mul(o, probe)) as tf.Scalar;
      const [ours, theirs] = [() => model.embed(), apart].map((embed) => {
        const { gradients } = valueAndGradients(parameters, () => scalarOf(embed()));
        return { values: embed().dataSync(), gradients };
      });
      expect(relativeError(ours!.values, theirs!.values)).toBeLessThan(1e-5);
      expect(Object.keys(ours!.gradients)).toEqual(parameters.names());
      for (const name of parameters.names()) {
        const expected = theirs!.gradients[name]!.dataSync();
        expect(relativeError(ours!.gradients[name]!.dataSync(), expected), name).toBeLessThan(1e-4);
      }
      dispose();
    });

    it('leaves no tensor behind', async () => {
      const body = () => {
        const { model, dispose } = problem();
        const { value, gradients } = valueAndGradients(model.parameters, () =>
          tf.sum(model.embed()),
        );
        tf.dispose([value, gradients]);
        dispose();
      };
      expect(await expectNoLeak(body)).toBeUndefined();
    });
  },
);
