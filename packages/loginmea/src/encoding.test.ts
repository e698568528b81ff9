import { evaluateModel, type Modality } from '@lab/alignment';
import { createRandom } from '@lab/core';
import { l2NormalizeRows, selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallTask,
  smallTraining,
  valuesOf,
  withImages,
} from './__fixtures__/small-task.js';
import { encodeModality, encoderParameters } from './encoders.js';
import type { LoginmeaLearner } from './learner.js';
import { localInteraction } from './local-interaction.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** An untrained learner on data with images. */
async function learnerOf(settings: Record<string, unknown> = {}): Promise<LoginmeaLearner> {
  const task = await smallTask(withImages(smallData()));
  return smallTraining(task, smallConfig(settings)).learner;
}

const some = Int32Array.of(7, 0, 79, 7);
const others = Int32Array.of(41, 3);

/** Rows of length 1 of a matrix, some of them. */
const unitRows = (x: tf.Tensor2D, entities: Int32Array): number[][] =>
  tf.tidy(() => tf.gather(l2NormalizeRows(x), tf.tensor1d(entities, 'int32')).arraySync());

describe('the vectors of an encoding', () => {
  it('are those of the model at length 1, in the order asked for, without noise', async () => {
    const learner = await learnerOf();
    const encoding = learner.encode();
    const rows = encoding.embed({ left: some, right: others }, createRandom(1));
    expect([rows.left.length, rows.right.length]).toEqual([1, 1]);
    const all = learner.model.embed(); // 3 structure blocks, 3 modalities, 2 joint blocks
    expect(all.shape).toEqual([80, 8 * 12]);
    const [left, right] = [rows.left[0]!.arraySync(), rows.right[0]!.arraySync()];
    expect(left).toEqual(unitRows(all, some));
    expect(right).toEqual(unitRows(all, others));
    expect(left[0]).toEqual(left[3]);
    for (const row of [...left, ...right]) expect(Math.hypot(...row)).toBeCloseTo(1, 5);
    all.dispose();
    rows.dispose();
    encoding.dispose();
    learner.dispose();
  });

  it('stay those of the time of encoding', async () => {
    const learner = await learnerOf();
    const encoding = learner.encode();
    const rowsNow = () => {
      const rows = encoding.embed({ left: some, right: others }, null);
      const values = valuesOf(rows.left[0]!);
      rows.dispose();
      return values;
    };
    const before = rowsNow();
    const { split } = await smallTask(withImages(smallData()));
    await learner.step({ epoch: 0, seeds: split.seeds, random: createRandom(2) });
    expect(rowsNow()).toEqual(before);
    encoding.dispose();
    learner.dispose();
  });

  it.each<[Modality[], number]>([
    [['graph'], 3],
    [['relation'], 1 + 2],
    [['image', 'attribute'], 2 + 2],
  ])('of %o have %i blocks', async (names, blocks) => {
    const learner = await learnerOf({ 'data.modalities': names });
    const encoding = learner.encode();
    const rows = encoding.embed({ left: some, right: others }, null);
    expect(rows.left[0]!.shape).toEqual([4, blocks * 12]);
    rows.dispose();
    encoding.dispose();
    learner.dispose();
  });
});

describe('the rows of a modality', () => {
  it('are its own vectors at length 1; of the graph the structure encoder', async () => {
    const learner = await learnerOf();
    const encoding = learner.encode();
    const { parameters } = learner.model;
    for (const modality of ['image', 'attribute', 'relation'] as const) {
      const rows = encoding.modalityRows(modality, some);
      const all = encodeModality(
        learner.inputs.features[modality]!,
        encoderParameters(parameters, modality),
      );
      expect(rows.arraySync(), modality).toEqual(unitRows(all, some));
      tf.dispose([rows, all]);
    }
    const rows = encoding.modalityRows('graph', some);
    const structure: tf.Tensor2D = tf.tidy(() => tf.slice(learner.model.embed(), [0, 0], [-1, 36]));
    const expected = unitRows(structure, some);
    rows.arraySync().forEach((row, at) => {
      expect(Math.hypot(...row)).toBeCloseTo(1, 5);
      row.forEach((value, column) => expect(value).toBeCloseTo(expected[at]![column]!, 5));
    });
    tf.dispose([rows, structure]);
    encoding.dispose();
    learner.dispose();
  });
});

describe('the findings', () => {
  it('are weights and lengths of the local interaction, and their means its numbers', async () => {
    const learner = await learnerOf();
    const encoding = learner.encode();
    const { weights, fusedNorms } = await encoding.findings();
    const { inputs, model } = learner;
    const local = tf.tidy(() => {
      const { weights: alpha, fused } = localInteraction(inputs, model.parameters);
      return { alpha: valuesOf(alpha), norms: valuesOf(tf.norm(fused, 2, 1)) };
    });
    expect(Array.from(weights!)).toEqual(local.alpha);
    expect(Array.from(fusedNorms!)).toEqual(local.norms);
    const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
    const described = (await encoding.describe!()) as {
      modalityWeights: Record<string, number>;
      fusedNorm: number;
    };
    expect(Object.keys(described.modalityWeights)).toEqual(['image', 'relation', 'attribute']);
    Object.values(described.modalityWeights).forEach((value, column) => {
      expect(value).toBeCloseTo(mean(local.alpha.filter((_, at) => at % 3 === column)), 6);
    });
    expect(described.fusedNorm).toBeCloseTo(mean(local.norms), 6);
    encoding.dispose();
    learner.dispose();
  });

  it.each([{ 'data.modalities': ['graph'] }, { 'model.fusion': 'early-only' }])(
    'are none, and nothing is described, with %o',
    async (settings) => {
      const learner = await learnerOf(settings);
      const encoding = learner.encode();
      expect(await encoding.findings()).toEqual({ weights: null, fusedNorms: null });
      expect(await encoding.describe!()).toEqual({});
      encoding.dispose();
      learner.dispose();
    },
  );
});

describe('an evaluation', () => {
  it('leaves no tensor, on success and on error', async () => {
    const state = smallTraining(await smallTask(), smallConfig());
    const input = { pairs: state.task.split.test, random: createRandom(9) };
    const run = async (signal?: AbortSignal) => {
      await evaluateModel(state, { ...input, signal });
    };
    await run();
    expect(await expectNoLeak(() => run())).toBeUndefined();
    expect(await expectNoLeak(() => run(AbortSignal.abort()))).toBeDefined();
    state.dispose();
  });
});
