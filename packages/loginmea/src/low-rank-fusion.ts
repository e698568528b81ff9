/**
 * Local interaction: the modalities of one entity multiplied feature by feature, through a tensor
 * of low rank.
 */
import { type Random, ShapeError } from '@lab/core';
import {
  assertShape,
  csrMatMul,
  l2NormalizeRows,
  linear,
  normal,
  type Parameters,
  recompute,
  tf,
  xavierNormal,
  zeros,
} from '@lab/tensor';
import { type Modality, type PerModality, presentModalities } from './modalities.js';
import {
  assertModalityRows,
  isSpread,
  type ModalityRows,
  type SpreadRows,
} from './modality-rows.js';

/** How the factors start; see {@link factorStart}. */
export type FusionStart = 'official' | 'unit';

/** Deviation of the row that meets the constant 1, in the start `unit`. */
const UNIT_NOISE = 0.05;

/** Divides a vector that is shorter. */
const SMALLEST_LENGTH = 1e-12;

/** Parameters of the fusion. */
export interface FusionParameters {
  /** W_m, `[K, D + 1, D]`; row 0 of each rank meets the constant 1. */
  readonly factors: PerModality<tf.Tensor3D>;
  /** c, `[K]`. */
  readonly rankWeight: tf.Tensor1D;
  /** b, `[D]`. */
  readonly bias: tf.Tensor1D;
}

/** What the parameters of the fusion are made for. */
export interface FusionSize {
  readonly modalities: readonly Modality[];
  /** K, at least 1. */
  readonly rank: number;
  /** D. */
  readonly size: number;
  /** Default `official`. */
  readonly start?: FusionStart;
}

/**
 * Vectors of the entities in which all products of their modalities take part.
 *
 * `u_im = [1 ; alpha_im z_im / |z_im|]`, `f_i = b + sum_k c_k prod_m (u_im W_m^(k))`, the product
 * element by element over the modalities. Of a modality with weight 0 only the constant is left.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `AdaptiveLMFusion`; equation not verified.
 *
 * One rank is computed at a time, and again in the backward pass: how many tensors `[N, D]` exist
 * at a time hangs on M alone, not on K. Of distinct vectors each goes through a factor once:
 * `[1 ; alpha x] W = W_0 + alpha (x W)` for all entities that have x in common.
 *
 * @param rows - z_m of the M modalities, `[N, D]` each, or distinct ones.
 * @param weights - alpha, `[N, M]`, columns in the order of `presentModalities`.
 * @returns f, `[N, D]`.
 * @throws {ShapeError} when the shapes do not fit, or a modality has no factor.
 * @throws {ConfigError} when there is no modality.
 */
export function lowRankFusion(
  rows: PerModality<ModalityRows>,
  weights: tf.Tensor2D,
  parameters: FusionParameters,
): tf.Tensor2D {
  const present = presentModalities(rows);
  const rank = assertFits(rows, weights, parameters);
  return tf.tidy(() => {
    const { rankWeight } = parameters;
    // With shared rows c goes into a factor, which is small; else it multiplies the term.
    const scaled = present.findIndex((modality) => isSpread(rows[modality]!));
    const sides = present.map((modality, column) => {
      const share = tf.slice(weights, [0, column], [-1, 1]); // [N, 1]
      const factor = parameters.factors[modality]!;
      const c = tf.reshape(rankWeight, [-1, 1, 1]); // [K, 1, 1]
      return createSide(rows[modality]!, share, column === scaled ? tf.mul(factor, c) : factor);
    });
    let sum: tf.Tensor2D | null = null;
    for (let k = 0; k < rank; k += 1) {
      const term = rankTerm(sides, k, scaled < 0 ? tf.slice(rankWeight, k, 1) : null);
      const next: tf.Tensor2D = tf.add(sum ?? parameters.bias, term);
      // A scope would keep the K terms to its end: 36 MB each at 30,000 entities.
      tf.dispose(sum === null ? [term] : [term, sum]);
      sum = next;
    }
    return sum!;
  });
}

/** One modality in the product: what a rank reads of it, and `u_m W_m^(k)` of that. */
interface Side {
  inputsOf(rank: number): tf.Tensor[];
  product(inputs: readonly tf.Tensor[]): tf.Tensor2D;
}

function createSide(rows: ModalityRows, share: tf.Tensor2D, factor: tf.Tensor3D): Side {
  const factors = tf.unstack(factor) as tf.Tensor2D[]; // [D + 1, D] each
  if (!isSpread(rows)) {
    const weighted = tf.mul<tf.Tensor2D>(l2NormalizeRows(rows), share);
    return {
      inputsOf: (rank) => [weighted, factors[rank]!],
      product: ([x, w]) => liftedProduct(x as tf.Tensor2D, w as tf.Tensor2D),
    };
  }
  const { tableOf, scale } = sharedProduct(rows);
  const scaled = scale === null ? share : tf.mul(share, csrMatMul(rows.spread, scale)); // [N, 1]
  const values = tf.reshape(scaled, [-1]);
  return {
    inputsOf: (rank) => {
      const { constant, rest } = cutFactor(factors[rank]!);
      return [tableOf(rest), constant, values];
    },
    product: ([table, constant, scale]) => {
      const spread = csrMatMul(rows.spread, table as tf.Tensor2D, scale as tf.Tensor1D);
      return tf.add<tf.Tensor2D>(spread, constant!);
    },
  };
}

/** A product of distinct vectors, and what is left to multiply it by. */
interface SharedProduct {
  /** Rows `[U, D]` as a function of W. */
  tableOf(weight: tf.Tensor2D): tf.Tensor2D;
  /** `[U, 1]`; null: nothing. */
  readonly scale: tf.Tensor2D | null;
}

/**
 * `(z / |z|) W` of distinct vectors. Of few sparse features it is `(x (E W) + b W) / |z|`, E and b
 * those of the encoder: E W has F rows in place of U.
 */
function sharedProduct({ rows, source }: SpreadRows): SharedProduct {
  if (source === undefined || 2 * source.features.columnCount > rows.shape[0]) {
    const directions = l2NormalizeRows(rows); // [U, D]
    return { tableOf: (weight) => tf.matMul(directions, weight), scale: null };
  }
  const { features, encoder } = source;
  const squares = tf.sum(tf.square(rows), 1, true); // [U, 1]
  const lengths = tf.sqrt(tf.maximum(squares, SMALLEST_LENGTH ** 2));
  const bias = tf.reshape(encoder.bias, [1, -1]) as tf.Tensor2D;
  const tableOf = (weight: tf.Tensor2D) =>
    tf.tidy(() => {
      const product = csrMatMul(features, tf.matMul(encoder.weight, weight)); // [U, D]
      return tf.add<tf.Tensor2D>(product, tf.matMul(bias, weight));
    });
  return { tableOf, scale: tf.div(1, lengths) };
}

/**
 * `c_k prod_m (u_m W_m^(k))`, `[N, D]`, or the product alone where c is in a factor; what is inside
 * is computed again in the backward pass.
 */
function rankTerm(
  sides: readonly Side[],
  rank: number,
  coefficient: tf.Tensor1D | null,
): tf.Tensor2D {
  const perSide = sides.map((side) => side.inputsOf(rank));
  const last = coefficient === null ? [] : [coefficient];
  return recompute([...perSide.flat(), ...last], (...inputs) => {
    let next = 0;
    const parts = sides.map((side, m) => {
      const start = next;
      next += perSide[m]!.length;
      return side.product(inputs.slice(start, next));
    });
    const product = parts.reduce((all, part) => tf.mul(all, part));
    return coefficient === null ? product : tf.mul<tf.Tensor2D>(product, inputs.at(-1)!);
  });
}

/** The row of a factor that meets the constant, `[D]`, and the others, `[D, D]`. */
function cutFactor(factor: tf.Tensor2D): { constant: tf.Tensor1D; rest: tf.Tensor2D } {
  const [rows, size] = factor.shape;
  const constant = tf.reshape(tf.slice(factor, [0, 0], [1, size]), [size]) as tf.Tensor1D;
  return { constant, rest: tf.slice(factor, [1, 0], [rows - 1, size]) };
}

/** `[1 ; x] W`, `[N, D]`, without making the column of ones. */
function liftedProduct(x: tf.Tensor2D, factor: tf.Tensor2D): tf.Tensor2D {
  const { constant, rest } = cutFactor(factor);
  return linear(x, rest, constant);
}

/** K; an error where anything does not fit. */
function assertFits(
  rows: PerModality<ModalityRows>,
  weights: tf.Tensor2D,
  { factors, rankWeight, bias }: FusionParameters,
): number {
  const present = presentModalities(rows);
  let sizes = assertShape(bias, 'D', 'bias', assertShape(rankWeight, 'K', 'rankWeight'));
  for (const modality of present) {
    sizes = assertModalityRows(rows[modality]!, modality, sizes);
    const factor = factors[modality];
    if (factor === undefined) {
      throw new ShapeError(`loginmea/low-rank-fusion: ${modality} has rows but no factor.`, {
        expected: present.join(', '),
        got: Object.keys(factors).join(', '),
        help: 'Add the parameters of the fusion for the modalities that the data has.',
      });
    }
    assertShape(factor, `K ${sizes['D']! + 1} D`, `the factor of ${modality}`, sizes);
  }
  assertShape(weights, `N ${present.length}`, 'weights', sizes);
  return sizes['K']!;
}

/**
 * The start of one factor from standard normal numbers.
 *
 * - `official`: `s` times the numbers with `s = sqrt(2 / ((D + 1) D + K D))`, what PyTorch's
 *   Xavier-normal makes of a tensor `[K, D + 1, D]`. At D = 300, K = 8 this is 0.0046, the product
 *   of three factors about 1e-7, and f at first the bias alone.
 * - `unit`: the same, but the row that meets the constant 1 is `1 + 0.05 x`, so that each factor of
 *   the product starts near 1 and all modalities pass their gradient on.
 *
 * Source: sutaoyu/LoginMEA, `src/models.py`, `AdaptiveLMFusion`; equation not verified.
 * Deviation: `unit` is an addition.
 *
 * @param numbers - `[K, D + 1, D]`.
 * @param deviation - s; default by the formula above.
 * @returns `[K, D + 1, D]`.
 */
export function factorStart(
  numbers: tf.Tensor3D,
  start: FusionStart,
  deviation = factorDeviation(numbers.shape),
): tf.Tensor3D {
  return tf.tidy(() => {
    if (start === 'official') return tf.mul(numbers, deviation);
    const constant = tf.slice(numbers, [0, 0, 0], [-1, 1, -1]); // [K, 1, D]
    const rest = tf.slice(numbers, [0, 1, 0], [-1, -1, -1]); // [K, D, D]
    return tf.concat([tf.add(tf.mul(constant, UNIT_NOISE), 1), tf.mul(rest, deviation)], 1);
  });
}

/** Fan-in and fan-out as PyTorch counts them for `[K, I, O]`: `I O` and `K O`. */
function factorDeviation([rank, inputs, outputs]: [number, number, number]): number {
  return Math.sqrt(2 / (inputs * outputs + rank * outputs));
}

/**
 * Adds `fusion.factor.<modality>`, `fusion.rankWeight` and `fusion.bias`, each drawn from the
 * stream of its own name.
 *
 * Starts: factors by {@link factorStart}; c Xavier-normal as `[1, K]`; b = 0.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `AdaptiveLMFusion`; equation not verified.
 */
export function addFusionParameters(
  parameters: Parameters,
  { modalities, rank, size, start = 'official' }: FusionSize,
  random: Random,
): void {
  for (const modality of modalities) {
    const name = `fusion.factor.${modality}`;
    const numbers = normal([rank, size + 1, size], 1, random.fork(name)) as tf.Tensor3D;
    parameters.add(name, factorStart(numbers, start));
    numbers.dispose();
  }
  parameters.add('fusion.rankWeight', xavierNormal([rank], random.fork('fusion.rankWeight')));
  parameters.add('fusion.bias', zeros([size]));
}

/** The parameters of the fusion of some modalities among those of a model. */
export function fusionParameters(
  parameters: Pick<Parameters, 'get'>,
  present: readonly Modality[],
): FusionParameters {
  const factors: PerModality<tf.Tensor3D> = {};
  for (const modality of present) {
    factors[modality] = parameters.get(`fusion.factor.${modality}`) as tf.Tensor3D;
  }
  return {
    factors,
    rankWeight: parameters.get('fusion.rankWeight') as tf.Tensor1D,
    bias: parameters.get('fusion.bias') as tf.Tensor1D,
  };
}
