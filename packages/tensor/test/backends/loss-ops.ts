/**
 * The losses on paired rows, and sums over blocks of rows, with their twins.
 */
import {
  gaussianKl,
  iclLoss,
  infoNce,
  modalContrast,
  multiSimilarity,
  sumOverRowBlocks,
  tf,
} from '../../src/index.js';
import {
  referenceIcl,
  referenceInfoNce,
  referenceMultiSimilarity,
} from '../../src/losses/__fixtures__/reference-losses.js';
import { type OpCase, normal, positive, unit } from './op-case.js';

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

const SQUASHED = { ceiling: 0.4, offset: 0.1, slope: 0.9 };

/** Mean over rows of the divergences from N(0, prior^2), `log` giving ln s of a spread. */
function divergence(
  mean: Float64Array,
  spread: Float64Array,
  { prior, log }: { prior: number; log: (x: number) => number },
): number[] {
  const total = mean.reduce((sum, m, i) => {
    const own = log(spread[i] as number);
    const squares = Math.exp(2 * own) + m ** 2;
    return sum + Math.log(prior) - own + squares / (2 * prior ** 2) - 0.5;
  }, 0);
  return [total / ROWS];
}

const DIVERGENCES: OpCase[] = [
  {
    name: 'gaussianKl',
    inputs: [normal(ROWS, WIDTH), positive(ROWS, WIDTH)],
    compute: (xs) => gaussianKl(...(xs as Sides)),
    reference: (mean, spread) => divergence(mean, spread, { prior: 1, log: Math.log }),
  },
  {
    name: 'gaussianKl, squashed',
    inputs: [normal(ROWS, WIDTH), normal(ROWS, WIDTH)],
    compute: (xs) => gaussianKl(...(xs as Sides), { prior: 2.5, squashed: SQUASHED }),
    reference: (mean, spread) => {
      const log = (x: number) => 0.1 + 0.9 * Math.log1p(Math.exp(Math.min(x, 0.4)));
      return divergence(mean, spread, { prior: 2.5, log });
    },
  },
];

const MULTI_SIMILARITY = { alpha: 2, beta: 10, lambda: 0.5 };

/** Two modalities of unit rows, joined with equal shares. */
const MODAL_CONTRAST: OpCase = {
  name: 'modalContrast',
  inputs: [...SIDES, ...SIDES],
  compute: ([a, b, c, d]) => {
    const share = tf.fill([ROWS, 2], Math.SQRT1_2) as tf.Tensor2D;
    const modalities = [
      { left: a as tf.Tensor2D, right: b as tf.Tensor2D },
      { left: c as tf.Tensor2D, right: d as tf.Tensor2D },
    ];
    const settings = {
      infoNce: { temperature: TEMPERATURE, direction: 'both' },
      multiSimilarity: MULTI_SIMILARITY,
      jointWeight: 3,
      blockRows: BLOCK,
    } as const;
    return modalContrast({ modalities, shares: { left: share, right: share } }, settings).total;
  },
  reference: (a, b, c, d) => {
    const contrast = { rowCount: ROWS, temperature: TEMPERATURE, both: true };
    const joined = ([first, second]: [Float64Array, Float64Array]) =>
      Float64Array.from({ length: 2 * first.length }, (_, at) => {
        const [row, column] = [Math.floor(at / (2 * WIDTH)), at % (2 * WIDTH)];
        const part = column < WIDTH ? first : second;
        return (part[row * WIDTH + (column % WIDTH)] as number) * Math.SQRT1_2;
      });
    const sides: [Float64Array, Float64Array] = [joined([a, c]), joined([b, d])];
    const joint = referenceMultiSimilarity(sides, { rowCount: ROWS, ...MULTI_SIMILARITY });
    return [referenceInfoNce([a, b], contrast) + referenceInfoNce([c, d], contrast) + 3 * joint];
  },
};

/** Losses and sums over blocks. */
export const LOSS_OPS: readonly OpCase[] = [
  ...INFO_NCE,
  ...DIVERGENCES,
  MODAL_CONTRAST,
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
