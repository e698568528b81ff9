/**
 * The losses on paired rows, and sums over blocks of rows, with their twins.
 */
import { iclLoss, infoNce, multiSimilarity, sumOverRowBlocks, tf } from '../../src/index.js';
import {
  referenceIcl,
  referenceInfoNce,
  referenceMultiSimilarity,
} from '../../src/losses/__fixtures__/reference-losses.js';
import { type OpCase, normal, unit } from './op-case.js';

type Sides = [tf.Tensor2D, tf.Tensor2D];

/** Ten rows in blocks of four: whole blocks and a part of one. */
const [ROWS, WIDTH, BLOCK] = [10, 6, 4];
const SIDES = [unit(ROWS, WIDTH), unit(ROWS, WIDTH)];
const TEMPERATURE = 0.2;

const INFO_NCE: OpCase[] = (['both', 'left-to-right'] as const).map((direction) => ({
  name: `infoNce, ${direction}`,
  inputs: SIDES,
  compute: (xs) =>
    infoNce(...(xs as Sides), { temperature: TEMPERATURE, direction, blockRows: BLOCK }),
  reference: (left, right) => [
    referenceInfoNce([left, right], {
      ...{ rowCount: ROWS, temperature: TEMPERATURE, both: direction === 'both' },
    }),
  ],
}));

/** Losses and sums over blocks. */
export const LOSS_OPS: readonly OpCase[] = [
  ...INFO_NCE,
  {
    name: 'iclLoss',
    inputs: SIDES,
    compute: (xs) => iclLoss(...(xs as Sides), { temperature: TEMPERATURE, blockRows: BLOCK }),
    reference: (left, right) => [
      referenceIcl([left, right], { rowCount: ROWS, temperature: TEMPERATURE }),
    ],
  },
  {
    name: 'multiSimilarity',
    inputs: SIDES,
    compute: (xs) =>
      multiSimilarity(...(xs as Sides), {
        ...{ alpha: 2, beta: 10, lambda: 0.5, blockRows: BLOCK },
      }),
    reference: (left, right) => [
      referenceMultiSimilarity([left, right], {
        ...{ rowCount: ROWS, alpha: 2, beta: 10, lambda: 0.5 },
      }),
    ],
  },
  {
    name: 'sumOverRowBlocks',
    inputs: [normal(ROWS, 3), normal(ROWS, 3)],
    compute: ([a, b]) =>
      sumOverRowBlocks(
        [a, b] as Sides,
        (x, y) => tf.sum(tf.mul(tf.exp(x as tf.Tensor), y as tf.Tensor)),
        { blockRows: BLOCK },
      ),
    reference: (a, b) => [a.reduce((sum, v, at) => sum + Math.exp(v) * (b[at] as number), 0)],
  },
];
