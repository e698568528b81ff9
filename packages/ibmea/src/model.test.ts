import { createRandom } from '@lab/core';
import { type CsrTensors, createCsr, selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallModel,
  smallTask,
  valuesOf,
  withImages,
} from './__fixtures__/small-task.js';
import { type IbmeaConfig } from './config.js';
import { noDropout } from './encoders.js';
import { createModel, modalitySize } from './model.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** A bag matrix without entries. */
function emptyBags(rowCount: number, columnCount: number): CsrTensors {
  const rowPointers = new Int32Array(rowCount + 1);
  return createCsr({ rowCount, columnCount, rowPointers, columns: new Int32Array(0) });
}

function modelOfSize(config: IbmeaConfig, entityCount: number, columns: number) {
  const parts = {
    neighbours: emptyBags(entityCount, entityCount),
    relation: emptyBags(entityCount, columns),
    attribute: emptyBags(entityCount, columns),
  };
  const dispose = () => Object.values(parts).forEach((part) => part.dispose());
  const inputs = { entityCount, ...parts, image: null, dispose };
  return createModel(config, inputs, { random: createRandom(1) });
}

const linearSize = (inputs: number, outputs: number) => inputs * outputs + outputs;
const repeated = (count: number, size: number) => count * size;

describe('the parameter count of SRPRS EN-FR (30,000 entities, 1000 columns, no images)', () => {
  // Full widths, mode official.
  const config = smallConfig({ 'model.graphSize': 300, 'model.featureSize': 100 }, 'official');
  const built = 9_249_006;

  it('is 9,249,006 as built', () => {
    const model = modelOfSize(config, 30_000, 1000);
    expect(model.parameters.count()).toBe(built);
    model.dispose();
  });

  it('gives the 11,179,506 of the reference with its unused layers and its dummy image', () => {
    const unused =
      repeated(5, linearSize(600, 600)) + // joint heads
      repeated(6, linearSize(100, 100)) + // decoders
      linearSize(300, 100) + // names
      linearSize(100, 100); // characters
    expect(unused).toBe(1_903_800);
    const dummyImage = linearSize(64, 100) + repeated(2, linearSize(100, 100));
    expect(dummyImage).toBe(26_700);
    expect(built + unused + dummyImage).toBe(11_179_506);
  });

  it('is the sum of its parts', () => {
    const entities = 30_000 * 300;
    const bags = repeated(2, linearSize(1000, 100) + repeated(2, linearSize(100, 100)));
    const attention = repeated(2 * 2, 2 * 300 + 2 * 600); // networks, layers; w and a of two heads
    expect(entities + bags + attention + repeated(2, 600) + 6).toBe(built);
  });
});

describe('createModel', () => {
  it('starts as the released code does', async () => {
    const { model, dispose } = smallModel(await smallTask(), smallConfig());
    const of = (name: string) => valuesOf(model.parameters.get(name));
    const entity = of('entity');
    const deviation = Math.sqrt(entity.reduce((sum, x) => sum + x * x, 0) / entity.length);
    expect(deviation * Math.sqrt(80)).toBeCloseTo(1, 1);
    expect(new Set(of('graphMean.layer0.weight'))).toEqual(new Set([1]));
    const bound = 1 / Math.sqrt(2 * 12);
    const attention = of('graphScale.layer1.attention');
    expect(Math.max(...attention.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...attention.map(Math.abs))).toBeGreaterThan(0.8 * bound);
    expect(of('fusion.weights')).toEqual([1, 1, 1, 1, 1, 1]);
    expect(new Set(of('graphNorm.gain'))).toEqual(new Set([1]));
    expect(new Set(of('graphNorm.bias'))).toEqual(new Set([0]));
    dispose();
  });

  it('hangs on the seed only, each parameter on a stream of its own', async () => {
    const task = await smallTask();
    const values = (settings: Record<string, unknown>, name: string) => {
      const { model, dispose } = smallModel(task, smallConfig(settings));
      const array = valuesOf(model.parameters.get(name));
      dispose();
      return array;
    };
    const name = 'relation.mean.weight';
    expect(values({}, name)).toEqual(values({}, name));
    expect(values({ seed: 1 }, name)).not.toEqual(values({}, name));
    // Without attributes the relation encoder starts with the same numbers.
    expect(values({ 'data.modalities': ['relation', 'graph'] }, name)).toEqual(values({}, name));
  });

  it('has the modalities that config and data share, in slot order', async () => {
    const plain = await smallTask();
    const rich = await smallTask(withImages(smallData()));
    const modalitiesOf = (task: typeof plain, settings = {}) => {
      const { model, dispose } = smallModel(task, smallConfig(settings));
      dispose();
      return model.modalities;
    };
    expect(modalitiesOf(plain)).toEqual(['attribute', 'relation', 'graph']);
    expect(modalitiesOf(rich)).toEqual(['image', 'attribute', 'relation', 'graph']);
    const some = { 'data.modalities': ['graph', 'image'] };
    expect(modalitiesOf(rich, some)).toEqual(['image', 'graph']);
    expect(modalitiesOf(plain, some)).toEqual(['graph']);
  });

  it('fuses to the sum of the widths, or to 600 by attention', async () => {
    const task = await smallTask();
    for (const [fusion, width] of [
      ['weighted', 12 + 6 + 6],
      ['variance', 12 + 6 + 6],
      ['attention', 600],
    ] as const) {
      const { model, dispose } = smallModel(task, smallConfig({ 'model.fusion': fusion }));
      const rows = Object.fromEntries(
        model.modalities.map((m) => [m, tf.ones([3, modalitySize(m, model.config.model)])]),
      );
      expect(model.fuse(rows).shape).toEqual([3, width]);
      expect(model.parameters.names().includes('fusion.weights')).toBe(fusion !== 'attention');
      dispose();
    }
  });

  it('declares the second LayerNorm of the released model in mode official only', async () => {
    const task = await smallTask();
    for (const mode of ['official', 'corrected'] as const) {
      const { model, dispose } = smallModel(task, smallConfig({}, mode));
      expect(model.parameters.names().includes('graphScaleNorm.gain')).toBe(mode === 'official');
      dispose();
    }
  });

  it('frees everything', async () => {
    const task = await smallTask(withImages(smallData()));
    const error = await expectNoLeak(() => {
      const { model, dispose } = smallModel(task, smallConfig());
      tf.tidy(() => {
        model.encode(noDropout);
      });
      dispose();
    });
    expect(error).toBeUndefined();
  });
});
