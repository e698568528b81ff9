import { trainEpochs } from '@lab/alignment';
import { createRandom } from '@lab/core';
import type { AlignmentData } from '@lab/graph';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallTask,
  smallTraining,
  valuesOf,
  withImages,
  withoutAttributes,
} from './__fixtures__/small-task.js';
import type { Features } from './encoders.js';
import { createInputs, type OwnedInputs } from './model-inputs.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** The inputs for these data and settings; the caller disposes them. */
async function inputsOf(
  settings: Record<string, unknown> = {},
  {
    data = withImages(smallData()),
    mode = 'corrected' as 'official' | 'corrected',
    random = createRandom(1),
  } = {},
): Promise<OwnedInputs> {
  return createInputs(await smallTask(data), smallConfig(settings, mode), random);
}

/** A sparse matrix as nested arrays of its rows' sums. */
const rowSums = (features: Features | undefined): number[] => {
  if (features === undefined || features instanceof tf.Tensor) throw new TypeError('not sparse');
  const pointers = valuesOf(features.rowPointers);
  const values = features.values === null ? null : valuesOf(features.values);
  return Array.from({ length: features.rowCount }, (_, row) => {
    const [start, end] = [pointers[row]!, pointers[row + 1]!];
    return values === null
      ? end - start
      : values.slice(start, end).reduce((sum, value) => sum + value, 0);
  });
};

describe('createInputs', () => {
  it('has a matrix for every modality that config and data have', async () => {
    const names = async (settings: object, data?: AlignmentData) => {
      const inputs = await inputsOf({ ...settings }, data === undefined ? {} : { data });
      inputs.dispose();
      return Object.keys(inputs.features).sort();
    };
    expect(await names({})).toEqual(['attribute', 'image', 'relation']);
    expect(await names({ 'data.modalities': ['relation', 'graph'] })).toEqual(['relation']);
    expect(await names({ 'data.modalities': ['graph'] })).toEqual([]);
    expect(await names({}, smallData())).toEqual(['attribute', 'relation']);
    expect(await names({}, withoutAttributes(smallData()))).toEqual(['relation']);
  });

  it('has images dense at length 1, attributes as 0 and 1, relations as counts', async () => {
    const data = withImages(smallData());
    const inputs = await inputsOf({}, { data });
    const { image, attribute, relation } = inputs.features;
    expect((image as tf.Tensor2D).shape).toEqual([80, 5]);
    for (const row of (image as tf.Tensor2D).arraySync()) {
      expect(Math.hypot(...row)).toBeCloseTo(1, 5);
    }
    const { rowPointers } = data.attributes!;
    const own = Array.from({ length: 80 }, (_, e) => rowPointers[e + 1]! - rowPointers[e]!);
    expect(rowSums(attribute)).toEqual(own);
    const degrees = Array.from({ length: 80 }, () => 0);
    for (const ends of [data.triples.heads, data.triples.tails]) {
      for (const entity of ends) degrees[entity] = degrees[entity]! + 1;
    }
    expect(rowSums(relation)).toEqual(degrees);
    inputs.dispose();
  });

  it('has a mask only where missing images are masked: 1 for all else', async () => {
    const filled = await inputsOf();
    expect(filled.available).toBeNull();
    const masked = await inputsOf({ 'data.missingImages': 'mask' });
    expect(masked.available!.arraySync()).toEqual(
      Array.from({ length: 80 }, (_, entity) => [entity % 2 === 0 ? 1 : 0, 1, 1]),
    );
    const none = await inputsOf({ 'data.missingImages': 'mask' }, { data: smallData() });
    expect(none.available).toBeNull();
    for (const inputs of [filled, masked, none]) inputs.dispose();
  });

  it('draws missing images from the stream, and leaves them 0 where masked', async () => {
    const images = async (settings: Record<string, unknown>, seed: number) => {
      const inputs = await inputsOf(settings, { random: createRandom(seed) });
      const values = (inputs.features.image as tf.Tensor2D).arraySync();
      inputs.dispose();
      return values;
    };
    const random = { 'data.missingImages': 'random' };
    expect(await images(random, 1)).toEqual(await images(random, 1));
    const [one, two] = [await images(random, 1), await images(random, 2)];
    one.forEach((row, entity) => {
      const isOwn = entity % 2 === 0;
      expect(JSON.stringify(row) === JSON.stringify(two[entity]), `${entity}`).toBe(isOwn);
    });
    const masked = await images({ 'data.missingImages': 'mask' }, 1);
    expect(masked[1]).toEqual([0, 0, 0, 0, 0]);
  });

  it('pads columns where the config says so', async () => {
    const width = async (settings: Record<string, unknown>) => {
      const inputs = await inputsOf(settings);
      inputs.dispose();
      return (inputs.features.attribute as { columnCount: number }).columnCount;
    };
    expect(await width({ 'data.padColumns': true })).toBe(1000);
    expect(await width({})).toBeLessThanOrEqual(40);
  });

  it('has both graphs as one: a pair of neighbours once in each direction', async () => {
    const data = smallData();
    const { heads, tails } = data.triples;
    const pairs = new Set<string>();
    heads.forEach((head, e) => {
      pairs.add(`${head} ${tails[e]}`);
      pairs.add(`${tails[e]} ${head}`);
    });
    const inputs = await inputsOf({}, { data });
    expect(inputs.graph.pattern.neighbours.entryCount).toBe(pairs.size);
    expect(inputs.graph.mean.rowCount).toBe(80);
    inputs.dispose();
  });

  it('frees everything that it made', async () => {
    const task = await smallTask(withImages(smallData()));
    const config = smallConfig({ 'data.missingImages': 'mask' });
    const error = await expectNoLeak(() => createInputs(task, config, createRandom(1)).dispose());
    expect(error).toBeUndefined();
  });
});

describe('entities that lack something', () => {
  /** The unit rows of all entities after an epoch, and the findings. */
  async function rowsOf(data: AlignmentData, settings: Record<string, unknown> = {}) {
    const config = smallConfig({ 'training.epochs': 1, ...settings });
    const state = smallTraining(await smallTask(data), config);
    await trainEpochs(state);
    const encoding = state.learner.encode();
    const entities = Int32Array.from({ length: data.entityCount }, (_, entity) => entity);
    const sides = encoding.embed({ left: entities, right: entities }, null);
    const rows = sides.left[0]!.arraySync();
    const findings = await encoding.findings();
    const { modalities } = state.learner;
    sides.dispose();
    encoding.dispose();
    state.dispose();
    return { rows, findings, modalities };
  }

  const areFinite = (rows: readonly (readonly number[])[]) =>
    rows.every((row) => row.every(Number.isFinite));

  it('masked images have weight 0, and their block of the early feature is 0', async () => {
    const data = withImages(smallData());
    const masked = await rowsOf(data, { 'data.missingImages': 'mask' });
    const { weights } = masked.findings;
    for (let entity = 0; entity < data.entityCount; entity += 1) {
      const own = weights!.subarray(3 * entity, 3 * entity + 3);
      expect(own.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
      expect(own[0]! > 0, `entity ${entity}`).toBe(entity % 2 === 0);
      // h^0 h^1 h^2 of the structure encoder, then the image's block of the early feature.
      const block = masked.rows[entity]!.slice(36, 48);
      expect(block.some((value) => value !== 0)).toBe(entity % 2 === 0);
    }
    const filled = await rowsOf(data);
    expect(filled.findings.weights!.every((weight) => weight > 0)).toBe(true);
  });

  it('an entity without a triple has a row still: its graph blocks are 0', async () => {
    const data = smallData();
    const { heads, relations, tails, leftCount } = data.triples;
    const kept = Array.from(heads.keys()).filter((e) => heads[e] !== 0 && tails[e] !== 0);
    const pick = (values: Int32Array) => Int32Array.from(kept, (e) => values[e]!);
    const triples = {
      heads: pick(heads),
      relations: pick(relations),
      tails: pick(tails),
      leftCount: kept.filter((e) => e < leftCount).length,
    };
    const { rows } = await rowsOf({ ...data, triples });
    expect(areFinite(rows)).toBe(true);
    const isolated = rows[0]!; // [h^0 h^1 h^2 ; g ; h^1 h^2], widths 36, 24, 24
    expect(isolated.slice(12, 36).every((value) => value === 0)).toBe(true);
    expect(isolated.slice(60).every((value) => value === 0)).toBe(true);
    expect(isolated.slice(36, 60).some((value) => value !== 0)).toBe(true);
  });

  it('an entity without attributes, and a side without, train', async () => {
    const data = smallData();
    const { names, rowPointers, columns } = data.attributes!;
    /** Attributes of the entities that keep theirs. */
    const keep = (has: (entity: number) => boolean): AlignmentData => {
      const rows = Array.from({ length: data.entityCount }, (_, entity) =>
        has(entity) ? columns.subarray(rowPointers[entity], rowPointers[entity + 1]) : [],
      );
      const pointers = new Int32Array(data.entityCount + 1);
      rows.forEach((row, entity) => {
        pointers[entity + 1] = pointers[entity]! + row.length;
      });
      const all = Int32Array.from(rows.flatMap((row) => Array.from(row)));
      return { ...data, attributes: { names, rowPointers: pointers, columns: all } };
    };
    for (const some of [keep((entity) => entity !== 3), keep((entity) => entity < 40)]) {
      const { rows, findings, modalities } = await rowsOf(some);
      expect(modalities).toEqual(['relation', 'attribute', 'graph']);
      expect(areFinite(rows)).toBe(true);
      expect(findings.weights!.every((weight) => weight > 0 && weight < 1)).toBe(true);
    }
  });

  it('data without attributes have the other modalities, with weight 1 for one alone', async () => {
    const { rows, findings, modalities } = await rowsOf(withoutAttributes(smallData()));
    expect(modalities).toEqual(['relation', 'graph']);
    expect(areFinite(rows)).toBe(true);
    expect(findings.weights!.every((weight) => weight === 1)).toBe(true);
  });

  it('images on one side alone train, filled or masked', async () => {
    const data = withImages(smallData());
    const { dimension, entities, vectors } = data.images!;
    const count = entities.filter((entity) => data.sides[entity] === 1).length;
    const images = {
      dimension,
      entities: entities.slice(0, count),
      vectors: vectors.slice(0, count * dimension),
    };
    for (const fill of ['neighbour-mean', 'random', 'zeros', 'mask']) {
      const { rows } = await rowsOf({ ...data, images }, { 'data.missingImages': fill });
      expect(areFinite(rows), fill).toBe(true);
    }
  });

  it('data without triples train on attributes', async () => {
    const nothing = new Int32Array(0);
    const triples = { heads: nothing, relations: nothing, tails: nothing, leftCount: 0 };
    const { rows } = await rowsOf({ ...smallData(), triples });
    expect(areFinite(rows)).toBe(true);
  });
});
