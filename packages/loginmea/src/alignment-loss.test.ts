import type { SeedBatch } from '@lab/alignment';
import { createRandom } from '@lab/core';
import { relativeError } from '@lab/core/testing';
import { createCsr, normal, selectBackend, tf, valueAndGradients } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallModel } from './__fixtures__/small-model.js';
import { type AlignmentLoss, alignmentLoss, drawNegatives } from './alignment-loss.js';
import { contrastiveLoss, hardSampleLoss, intraContrastiveLoss, marginLoss } from './losses.js';
import { createModel, type LoginmeaModel } from './model.js';
import { createRelationGraph } from './relation-attention.js';
import { createOptimizer, stepGradients, trainStep } from './step.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const batches: readonly SeedBatch[] = [
  { left: Int32Array.of(0, 1, 4), right: Int32Array.of(2, 3, 1) },
  { left: Int32Array.of(1, 4), right: Int32Array.of(3, 0) },
];
const negatives: readonly SeedBatch[] = [
  { left: Int32Array.of(3, 2, 0), right: Int32Array.of(1, 0, 4) },
  { left: Int32Array.of(0, 3), right: Int32Array.of(4, 2) },
];

/** Two copies of one random graph of 30 entities with an attribute each; the pairs are all. */
const copies = (() => {
  const [half, lines] = [30, 90];
  const random = createRandom(9);
  const once = Array.from({ length: lines }, () => [
    random.integer(half),
    random.integer(4),
    random.integer(half),
  ]);
  const both = [...once, ...once.map(([h, r, t]) => [h! + half, r! + 4, t! + half])];
  const column = (at: number) => Int32Array.from(both, (line) => line[at]!);
  const entities = Array.from({ length: half }, (_, i) => i);
  const attributes = {
    columnCount: 10,
    rowPointers: Int32Array.from({ length: 2 * half + 1 }, (_, i) => i),
    columns: Int32Array.from({ length: 2 * half }, (_, i) => (i % half) % 10),
  };
  return {
    entityCount: 2 * half,
    triples: { heads: column(0), relations: column(1), tails: column(2), leftCount: lines },
    attributes,
    pairs: { left: Int32Array.from(entities), right: Int32Array.from(entities, (i) => i + half) },
  };
})();

/** Mean squared distance of the pairs over that of all left rows to all right rows. */
function pairNearness({ embed }: LoginmeaModel): number {
  return tf.tidy(() => {
    const o = embed();
    const half = copies.entityCount / 2;
    const [a, b] = [tf.slice(o, 0, half), tf.slice(o, half, half)];
    const all = tf.squaredDifference(tf.expandDims(a, 1), tf.expandDims(b, 0));
    const own = tf.squaredDifference(a, b);
    return tf.div(tf.mean(tf.sum(own, 1)), tf.mean(tf.sum(all, 2))).dataSync()[0]!;
  });
}

const kinds: readonly [string, AlignmentLoss, (o: tf.Tensor2D, at: number) => tf.Scalar][] = [
  ['no kind', {}, (o, at) => contrastiveLoss(o, batches[at]!)],
  [
    'infonce',
    { kind: 'infonce', direction: 'both', temperature: 0.2 },
    (o, at) => contrastiveLoss(o, batches[at]!, { direction: 'both', temperature: 0.2 }),
  ],
  [
    'icl',
    { kind: 'icl', temperature: 0.2 },
    (o, at) => intraContrastiveLoss(o, batches[at]!, { temperature: 0.2 }),
  ],
  [
    'hard-sample',
    { kind: 'hard-sample', scale: 5, shift: 2 },
    (o, at) => hardSampleLoss(o, batches[at]!, { scale: 5, shift: 2 }),
  ],
  [
    'margin',
    { kind: 'margin', margin: 2, negatives },
    (o, at) => marginLoss(o, batches[at]!, { margin: 2, negatives: negatives[at]! }),
  ],
];

describe.each(kinds)('the loss of %s', (kind, loss, expected) => {
  it('is that of its function, in every batch of a step', async () => {
    const { model, dispose } = smallModel({ fusionStart: 'unit' });
    const { losses, gradients } = await stepGradients(model, { batches, loss });
    const values = batches.map((_, at) => expected(model.embed(), at).dataSync()[0]!);
    expect(relativeError(losses, values)).toBeLessThan(1e-5);
    const direct = valueAndGradients(model.parameters, () => {
      const o = model.embed();
      return tf.add(expected(o, 0), expected(o, 1)) as tf.Scalar;
    });
    for (const name of model.parameters.names()) {
      const wanted = direct.gradients[name]!.dataSync();
      expect(relativeError(gradients[name]!.dataSync(), wanted), name).toBeLessThan(1e-4);
    }
    dispose();
  });

  it('trains: pairs come nearer than others; and leaves no tensor behind', async () => {
    const { entityCount, pairs } = copies;
    const random = createRandom(4);
    const sides = { left: pairs.left, right: pairs.right };
    const own =
      kind === 'margin' ? { ...loss, negatives: [drawNegatives(pairs, sides, random)] } : loss;
    const losses: number[] = [];
    const nearness: number[] = [];
    const body = async () => {
      const graph = createRelationGraph(copies);
      const attribute = createCsr({ ...copies.attributes, rowCount: entityCount });
      const inputs = { graph, features: { attribute }, available: null };
      const model = createModel(inputs, { size: 8, rank: 2 }, createRandom(1));
      const optimizer = createOptimizer(model);
      nearness.push(pairNearness(model));
      for (let step = 0; step < 10; step += 1) {
        const input = { batches: [pairs], loss: own as AlignmentLoss, learningRate: 0.01 };
        losses.push((await trainStep(model, optimizer, input))[0]!);
      }
      nearness.push(pairNearness(model));
      for (const part of [optimizer, model, graph, attribute]) part.dispose();
    };
    expect(await expectNoLeak(body)).toBeUndefined();
    expect(nearness[1]!).toBeLessThan(0.9 * nearness[0]!);
    // the mean and deviation that hard samples are measured by move with the embeddings
    if (kind !== 'hard-sample') expect(losses.at(-1)!).toBeLessThan(0.97 * losses[0]!);
  });
});

// mean and deviation of hard samples are constants to the gradient: differences see more
const smooth = kinds.filter(([kind]) => kind !== 'hard-sample');

describe.each(smooth)('the loss of %s', (_, loss) => {
  it('has the gradient of its differences', async () => {
    const { model, dispose } = smallModel({ fusionStart: 'unit' });
    const name = 'entity';
    const { gradients } = await stepGradients(model, { batches, loss });
    const variable = model.parameters.get(name);
    const start = tf.clone(variable);
    const direction = normal(variable.shape, 1, createRandom(5));
    const valueAt = async (step: number) => {
      variable.assign(tf.add(start, tf.mul(direction, step)));
      const found = await stepGradients(model, { batches, loss });
      return found.losses.reduce((sum, value) => sum + value, 0);
    };
    const step = 1e-3;
    const slope = ((await valueAt(step)) - (await valueAt(-step))) / (2 * step);
    const projected = tf.sum(tf.mul(gradients[name]!, direction)).dataSync()[0]!;
    expect(Math.abs(slope - projected)).toBeLessThan(0.01 * Math.abs(projected) + 1e-3);
    dispose();
  });
});

describe('margin losses', () => {
  it('need negatives for every batch', () => {
    const o = tf.ones([5, 3]) as tf.Tensor2D;
    const loss = { kind: 'margin', negatives: negatives.slice(0, 1) } as const;
    const second = { pairs: batches[1]!, index: 1 };
    expect(() => alignmentLoss(o, second, loss)).toThrow(/batch 2 has no negatives; there are 1/);
  });
});

describe('drawNegatives', () => {
  const entities: SeedBatch = { left: Int32Array.of(0, 1, 4), right: Int32Array.of(2, 3, 7, 8) };

  it('draws from the side of the entity, and never the entity itself', () => {
    const pairs: SeedBatch = {
      left: Int32Array.from({ length: 300 }, (_, i) => entities.left[i % 3]!),
      right: Int32Array.from({ length: 300 }, (_, i) => entities.right[i % 4]!),
    };
    const drawn = drawNegatives(pairs, entities, createRandom(1));
    for (const side of ['left', 'right'] as const) {
      expect(drawn[side]).toHaveLength(300);
      expect(new Set(drawn[side])).toEqual(new Set(entities[side]));
      drawn[side].forEach((entity, i) => expect(entity).not.toBe(pairs[side][i]));
    }
    expect(drawNegatives(pairs, entities, createRandom(1))).toEqual(drawn);
    expect(drawNegatives(pairs, entities, createRandom(2))).not.toEqual(drawn);
  });

  it('needs two entities on each side', () => {
    const one = { ...entities, right: Int32Array.of(2) };
    const pair = { left: Int32Array.of(0), right: Int32Array.of(2) };
    expect(() => drawNegatives(pair, one, createRandom(1))).toThrow(/the right side has 1 entity/);
  });
});
