import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { createCsr, selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallInputs, smallModel } from './__fixtures__/small-model.js';
import type { Features } from './encoders.js';
import type { PerModality } from './modalities.js';
import { createModel, type ModelSettings } from './model.js';
import { createRelationGraph } from './relation-attention.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

interface Oracles {
  parameters: {
    fb15kDb15kReleased: { used: Record<string, number>; usedTotal: number };
    enFr3kNoImages: Record<string, number>;
  };
  widths: Record<'structure' | 'embedding' | 'embeddingTwoModalities', { value: number }>;
  counted: Record<'srprsEnFr3k' | 'fb15k64Db15k', Record<string, number>>;
}

const golden = join(import.meta.dirname, '../test/golden');
const oracles = JSON.parse(readFileSync(join(golden, 'oracles.json'), 'utf8')) as Oracles;

/** Parameters of a model of full width over the sizes of a data set, by part. */
function partsOf(
  { entities, R0 }: Record<string, number>,
  columns: { image?: number; relation: number; attribute: number },
) {
  const entityCount = entities!;
  const one = Int32Array.of(0);
  const triples = { heads: one, relations: Int32Array.of(R0! - 2), tails: one, leftCount: 1 };
  const graph = createRelationGraph({ entityCount, triples });
  const features: PerModality<Features> = {};
  for (const [modality, columnCount] of Object.entries(columns)) {
    const rowPointers = new Int32Array(entityCount + 1);
    const none = { rowCount: entityCount, columnCount, rowPointers, columns: new Int32Array(0) };
    features[modality as keyof typeof columns] = createCsr(none);
  }
  const model = createModel({ graph, features, available: null }, {}, createRandom(1));
  const sizeOf = (prefix: string) =>
    model.parameters
      .names()
      .filter((name) => name.startsWith(prefix))
      .reduce((sum, name) => sum + model.parameters.get(name).size, 0);
  const relation = model.parameters.get('relation').size;
  const parts = {
    entity: sizeOf('entity'),
    relation,
    image: sizeOf('image.'),
    relationLayer: sizeOf('relation.'),
    attributeLayer: sizeOf('attribute.'),
    modalityQuery: sizeOf('modalityQuery'),
    fusion: sizeOf('fusion.'),
    earlyWeights: sizeOf('earlyWeights'),
    attentionKernels: sizeOf('structure.kernel.') + sizeOf('joint.kernel.'),
  };
  const total = model.parameters.count();
  model.dispose();
  graph.dispose();
  for (const matrix of Object.values(features)) matrix.dispose();
  return { parts, total };
}

describe('the parameter count', () => {
  it('is that of the released code on FB15K-DB15K, without its unused layers', () => {
    const columns = { image: 4096, relation: 1000, attribute: 1000 };
    const { parts, total } = partsOf(oracles.counted.fb15k64Db15k, columns);
    const { used, usedTotal } = oracles.parameters.fb15kDb15kReleased;
    expect(parts).toEqual(used);
    expect(total).toBe(usedTotal);
  });

  it('is that of EN-FR 3K without images', () => {
    const counted = oracles.counted.srprsEnFr3k;
    const columns = { relation: counted['relations']!, attribute: counted['attributes']! };
    const { parts, total } = partsOf(counted, columns);
    expect({ ...parts, total }).toEqual(oracles.parameters.enFr3kNoImages);
  });
});

describe('createModel', () => {
  it('embeds all entities in (M + 2 L + 1) D columns, the structure alone in (L + 1) D', () => {
    const widthOf = (settings: ModelSettings) => {
      const { model, dispose } = smallModel(settings);
      const { shape } = model.embed();
      dispose();
      return shape;
    };
    const perUnit = (name: keyof Oracles['widths']) => oracles.widths[name].value / 300;
    expect(widthOf({})).toEqual([5, 4 * perUnit('embeddingTwoModalities')]);
    expect(widthOf({ variant: 'structure-only' })).toEqual([5, 4 * perUnit('structure')]);
    expect(widthOf({ layers: 3, size: 6 })).toEqual([5, (2 + 2 * 3 + 1) * 6]);
  });

  it('has no parameters of the features in the structure-only variant', () => {
    const { model, inputs, dispose } = smallModel({ variant: 'structure-only' });
    expect(model.parameters.names()).toEqual([
      'entity',
      'relation',
      'structure.kernel.layer0',
      'structure.kernel.layer1',
    ]);
    expect(model.modalities).toEqual([]);
    const bare = { graph: inputs.graph, features: {}, available: null };
    const alone = createModel(bare, { ...model.settings }, createRandom(1));
    expect(alone.embed().dataSync()).toEqual(model.embed().dataSync());
    alone.dispose();
    dispose();
  });

  it('starts the fusion near 0 or near 1', () => {
    const constants = (fusionStart: 'official' | 'unit') => {
      const { model, dispose } = smallModel({ fusionStart, size: 20 });
      const factor = model.parameters.get('fusion.factor.image') as tf.Tensor3D;
      const row = tf.mean(tf.slice(factor, [0, 0, 0], [-1, 1, -1])).dataSync()[0]!;
      dispose();
      return row;
    };
    expect(Math.abs(constants('official'))).toBeLessThan(0.1);
    expect(Math.abs(constants('unit') - 1)).toBeLessThan(0.1);
  });

  it('has the same start for the same seed, whatever the variant', () => {
    const [full, again] = [smallModel(), smallModel()];
    const alone = smallModel({ variant: 'structure-only' });
    expect(full.model.embed().dataSync()).toEqual(again.model.embed().dataSync());
    const structure = tf.slice(full.model.embed(), [0, 0], [-1, 12]);
    expect(structure.dataSync()).toEqual(alone.model.embed().dataSync());
    for (const one of [full, again, alone]) one.dispose();
  });

  it('refuses sizes, features and masks that do not fit', () => {
    const inputs = smallInputs();
    const { graph, features } = inputs;
    const make = (changes: object, settings: ModelSettings = {}) =>
      createModel({ ...inputs, ...changes }, { size: 4, rank: 2, ...settings }, createRandom(1));
    expect(() => make({}, { layers: 0 })).toThrow(/layers is 0/);
    expect(() => make({}, { rank: 1.5 })).toThrow(/rank is 1.5/);
    expect(() => make({ features: {} })).toThrow(/no modality at all/);
    const short = { features: { ...features, image: tf.zeros([4, 3]) } };
    expect(() => make(short)).toThrow(/the features of image have 4 rows, the graph has 5/);
    expect(() => make({ available: tf.ones([6, 2]) })).toThrow(/available have 6 rows/);
    graph.dispose();
  });

  it('leaves no tensor behind', async () => {
    const body = () => {
      const { model, dispose } = smallModel();
      model.embed().dispose();
      dispose();
    };
    expect(await expectNoLeak(body)).toBeUndefined();
  });
});
