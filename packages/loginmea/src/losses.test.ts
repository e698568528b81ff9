import type { SeedBatch } from '@lab/alignment';
import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { normal, selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { contrastiveLoss, hardSampleLoss, intraContrastiveLoss, marginLoss } from './losses.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const ENTITIES = 8;
const WIDTH = 3;
const embeddings = () =>
  normal([ENTITIES, WIDTH], 1, createRandom(6).fork('embeddings')) as tf.Tensor2D;
const batch: SeedBatch = { left: Int32Array.of(0, 1, 2), right: Int32Array.of(5, 6, 5) };
const negatives: SeedBatch = { left: Int32Array.of(3, 0, 1), right: Int32Array.of(7, 4, 6) };
const valueOf = (x: tf.Scalar) => x.dataSync()[0]!;

type Row = ArrayLike<number>;
const row = (o: Row, i: number) => [0, 1, 2].map((d) => o[WIDTH * i + d]!);
const dot = (a: number[], b: number[]) => a.reduce((sum, x, d) => sum + x * b[d]!, 0);
const unit = (a: number[]) => a.map((x) => x / Math.hypot(...a));
const logSumExp = (x: number[]) => Math.log(x.reduce((sum, y) => sum + Math.exp(y), 0));
const mean = (x: number[]) => x.reduce((sum, y) => sum + y, 0) / x.length;
const swapped: SeedBatch = { left: batch.right, right: batch.left };

/** InfoNCE in float64; with `own`, the other rows of the own side are negatives, too. */
function contrast(o: Row, { left, right }: SeedBatch, own: boolean): number {
  const a = Array.from(left, (i) => unit(row(o, i)));
  const b = Array.from(right, (i) => unit(row(o, i)));
  return mean(
    a.map((x, at) => {
      const cross = b.map((y) => dot(x, y) / 0.1);
      const same = a.filter((_, other) => other !== at).map((y) => dot(x, y) / 0.1);
      return logSumExp([...cross, ...(own ? same : [])]) - cross[at]!;
    }),
  );
}

const l1 = (a: number[], b: number[]) => a.reduce((sum, x, d) => sum + Math.abs(x - b[d]!), 0);

function marginReference(o: Row): number {
  return mean(
    Array.from(batch.left, (l, at) => {
      const [left, right] = [row(o, l), row(o, batch.right[at]!)];
      const limit = 3 + l1(left, right);
      const terms = [
        l1(left, row(o, negatives.right[at]!)),
        l1(row(o, negatives.left[at]!), right),
      ];
      return terms.reduce((sum, negative) => sum + Math.max(0, limit - negative), 0);
    }),
  );
}

const squared = (a: number[], b: number[]) => a.reduce((sum, x, d) => sum + (x - b[d]!) ** 2, 0);

/** The values t of one anchor against all entities. */
function hardness(o: Row, [anchor, left, right]: readonly [number, number, number]): number[] {
  const positive = squared(row(o, left), row(o, right));
  return Array.from({ length: ENTITIES }, (_, e) =>
    e === left || e === right ? 0 : 1 + positive - squared(row(o, anchor), row(o, e)),
  );
}

/** Mean and deviation come from `fixed`, so that differences in `o` leave them as they are. */
function hardReference(o: Row, fixed: Row): number {
  return mean(
    Array.from(batch.left, (left, at) => {
      const right = batch.right[at]!;
      const sides = [left, right].map((anchor) => {
        const base = hardness(fixed, [anchor, left, right]);
        const centre = mean(base);
        const deviation = Math.sqrt(mean(base.map((t) => (t - centre) ** 2)));
        const t = hardness(o, [anchor, left, right]);
        return logSumExp(t.map((x) => (30 * (x - centre)) / deviation + 10));
      });
      return sides[0]! + sides[1]!;
    }),
  );
}

const losses: [string, (o: tf.Tensor2D) => tf.Scalar, (o: Row, fixed: Row) => number][] = [
  ['contrastiveLoss', (o) => contrastiveLoss(o, batch), (o) => contrast(o, batch, false)],
  [
    'contrastiveLoss, both',
    (o) => contrastiveLoss(o, batch, { direction: 'both' }),
    (o) => (contrast(o, batch, false) + contrast(o, swapped, false)) / 2,
  ],
  [
    'intraContrastiveLoss',
    (o) => intraContrastiveLoss(o, batch),
    (o) => (contrast(o, batch, true) + contrast(o, swapped, true)) / 2,
  ],
  ['marginLoss', (o) => marginLoss(o, batch, { negatives }), marginReference],
  ['hardSampleLoss', (o) => hardSampleLoss(o, batch), hardReference],
  ['hardSampleLoss in blocks', (o) => hardSampleLoss(o, batch, { blockPairs: 2 }), hardReference],
];

describe.each(losses)('%s', (_, loss, reference) => {
  it('has value and gradient of its formula; entities may repeat', async () => {
    const o = embeddings();
    const start = Float64Array.from(o.dataSync());
    expect(valueOf(loss(o))).toBeClose(reference(start, start), { rtol: 1e-5 });
    await checkGradient((x) => loss(x as tf.Tensor2D), [o], {
      reference: (x) => [reference(x!, start)],
    });
  });

  it('leaves nothing behind', async () => {
    const o = embeddings();
    expect(await expectNoLeak(() => loss(o))).toBeUndefined();
    expect(await expectNoLeak(() => tf.grad((x) => loss(x as tf.Tensor2D))(o))).toBeUndefined();
  });
});

describe('closed forms', () => {
  const same = tf.ones;

  it('equal rows: ln B, and ln(2B - 1) with the own side', () => {
    const o = same([ENTITIES, WIDTH]) as tf.Tensor2D;
    expect(valueOf(contrastiveLoss(o, batch))).toBeCloseTo(Math.log(3), 5);
    expect(valueOf(intraContrastiveLoss(o, batch))).toBeCloseTo(Math.log(5), 5);
    expect(valueOf(marginLoss(o, batch, { negatives }))).toBeCloseTo(6, 5);
  });

  it('rows without spread give a finite loss of hard samples', () => {
    const o = same([2, WIDTH]) as tf.Tensor2D;
    const pair = { left: Int32Array.of(0), right: Int32Array.of(1) };
    expect(valueOf(hardSampleLoss(o, pair))).toBeCloseTo(2 * (10 + Math.log(2)), 5);
  });
});

describe('errors', () => {
  const one: SeedBatch = { left: Int32Array.of(0), right: Int32Array.of(5) };
  const uneven: SeedBatch = { left: Int32Array.of(0, 1), right: Int32Array.of(5) };
  const empty: SeedBatch = { left: new Int32Array(0), right: new Int32Array(0) };

  it('name batches that are too small or uneven', () => {
    const o = embeddings();
    expect(() => contrastiveLoss(o, one)).toThrow(/batch of 1 pair has no negatives/);
    expect(() => intraContrastiveLoss(o, one)).toThrow(/batch of 1 pair has no negatives/);
    expect(() => contrastiveLoss(o, uneven)).toThrow(/2 left and 1 right/);
    expect(() => hardSampleLoss(o, empty)).toThrow(/0 left and 0 right/);
    expect(() => marginLoss(o, batch, { negatives: one })).toThrow(/1 negatives for 3 pairs/);
  });

  it('name wrong settings and entities that do not exist', () => {
    const o = embeddings();
    expect(() => contrastiveLoss(o, batch, { temperature: 0 })).toThrow(/temperature is 0/);
    expect(() => hardSampleLoss(o, batch, { blockPairs: 0 })).toThrow(/blockPairs is 0/);
    const outside = { left: Int32Array.of(0, 1), right: Int32Array.of(5, ENTITIES) };
    expect(() => contrastiveLoss(o, outside)).toThrow(/8/);
    expect(() => hardSampleLoss(o, outside)).toThrow(/8/);
  });
});
