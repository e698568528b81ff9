/**
 * Many numbers per point made two: exact t-SNE, the same for the same points and stream.
 */
import { ConfigError, type Random } from '@lab/core';
import { checkPoints, pca, type PointMatrix } from './pca.js';

/** Settings of {@link tSne}. */
export interface TSneOptions {
  /** Stream of the small noise at the start. */
  readonly random: Random;
  /** Neighbours that count, in effect; default 30, at most a third of the points. */
  readonly perplexity?: number;
  /** Steps in all; default 750. */
  readonly iterations?: number;
}

/** Points in the plane. */
export interface TSneLayout {
  /** x and y of every point, `[N * 2]`. */
  readonly positions: Float64Array;
  /** KL divergence of the neighbourhoods, nats: after the exaggerated start, and at the end. */
  readonly divergences: readonly [number, number];
}

/** Most points: time and memory are quadratic. */
const MOST_POINTS = 2000;

/** The start: attraction is made larger, momentum is small, and positions are tiny. */
const START = { exaggeration: 12, steps: 250, deviation: 1e-4 } as const;

/**
 * Points laid out in the plane so that near neighbours stay near: exact t-SNE.
 *
 * `p_ij = (p_j|i + p_i|j) / 2N` with Gaussian `p_j|i` of the given perplexity,
 * `q_ij = (1 + |y_i - y_j|^2)^-1 / Z`; minimises `sum p_ij ln(p_ij / q_ij)` by gradient descent
 * with momentum and gains, from the first two principal components.
 * Source: van der Maaten & Hinton, "Visualizing data using t-SNE", JMLR 2008, eq. (1)-(5) and
 * section 3.4.
 *
 * @param points - `[N, D]`, 4 <= N <= 2000.
 * @throws {ConfigError} for too many or too few points, or a perplexity that they cannot have.
 */
export function tSne(points: PointMatrix, options: TSneOptions): TSneLayout {
  checkPoints(points, 'tSne');
  const count = points.rowCount;
  const { random, iterations = 750 } = options;
  const perplexity = options.perplexity ?? Math.min(30, (count - 1) / 3);
  if (count < 4 || count > MOST_POINTS || !(perplexity >= 1) || perplexity >= count - 1) {
    throw new ConfigError(
      `report/tSne: ${count} points with perplexity ${perplexity}; possible are 4 to ` +
        `${MOST_POINTS} points and a perplexity from 1 to below N - 1.`,
      { help: 'Take a sample of the points, or a smaller perplexity.' },
    );
  }
  const p = jointNeighbours(points, perplexity);
  const y = startPositions(points, random);
  const descent = { y, velocity: new Float64Array(2 * count), gains: y.map(() => 1) };
  let early = Number.NaN;
  for (let step = 0; step < iterations; step += 1) {
    const isStart = step < START.steps;
    if (step === START.steps) early = divergence(p, y);
    descend(p, descent, isStart);
  }
  const end = divergence(p, y);
  return { positions: y, divergences: [Number.isNaN(early) ? end : early, end] };
}

/** The first two principal components, made small, with a little noise that parts duplicates. */
function startPositions(points: PointMatrix, random: Random): Float64Array {
  const { projected, variances } = pca(points, Math.min(2, points.columnCount));
  const width = variances.length;
  const scale = START.deviation / (Math.sqrt(variances[0]!) || 1);
  return Float64Array.from({ length: 2 * points.rowCount }, (_, at) => {
    const [n, axis] = [at >> 1, at & 1];
    const place = axis < width ? projected[n * width + axis]! * scale : 0;
    return place + 0.01 * START.deviation * random.normal();
  });
}

/** `p_ij`, `[N * N]`: how much each pair are neighbours; all sum to 1. */
function jointNeighbours(points: PointMatrix, perplexity: number): Float64Array {
  const { rowCount: count, columnCount: width, values } = points;
  const p = new Float64Array(count * count);
  for (let i = 0; i < count; i += 1) {
    for (let j = 0; j < i; j += 1) {
      let sum = 0;
      for (let d = 0; d < width; d += 1) {
        sum += (values[i * width + d]! - values[j * width + d]!) ** 2;
      }
      p[i * count + j] = sum;
      p[j * count + i] = sum;
    }
  }
  for (let i = 0; i < count; i += 1) {
    toNeighbours(p.subarray(i * count, (i + 1) * count), i, Math.log(perplexity));
  }
  for (let i = 0; i < count; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const both = (p[i * count + j]! + p[j * count + i]!) / (2 * count);
      p[i * count + j] = both;
      p[j * count + i] = both;
    }
  }
  return p;
}

/** Squared distances of point i turned into `p_j|i` of the wanted entropy, by bisection. */
function toNeighbours(row: Float64Array, i: number, entropy: number): void {
  const nearest = row.reduce((low, value, j) => (j === i ? low : Math.min(low, value)), Infinity);
  const weights = new Float64Array(row.length);
  let [low, high, precision] = [0, Infinity, 1];
  for (let step = 0; step < 100; step += 1) {
    let [sum, mean] = [0, 0];
    for (let j = 0; j < row.length; j += 1) {
      const distance = row[j]! - nearest;
      weights[j] = j === i ? 0 : Math.exp(-precision * distance);
      sum += weights[j]!;
      mean += weights[j]! * distance;
    }
    for (let j = 0; j < row.length; j += 1) weights[j]! /= sum;
    const excess = Math.log(sum) + (precision * mean) / sum - entropy;
    if (Math.abs(excess) < 1e-6) break;
    if (excess > 0)
      [low, precision] = [precision, high === Infinity ? precision * 2 : (precision + high) / 2];
    else [high, precision] = [precision, (precision + low) / 2];
  }
  row.set(weights);
}

/** What moves, and how. */
interface Descent {
  readonly y: Float64Array;
  readonly velocity: Float64Array;
  readonly gains: Float64Array;
}

/** One step of gradient descent: gains grow where the direction stays, shrink where it turns. */
function descend(p: Float64Array, { y, velocity, gains }: Descent, isStart: boolean): void {
  const slope = gradient(p, y, isStart ? START.exaggeration : 1);
  const rate = Math.max(50, y.length / 2 / START.exaggeration / 4);
  const momentum = isStart ? 0.5 : 0.8;
  const mean = [0, 0];
  for (let at = 0; at < y.length; at += 1) {
    const turns = slope[at]! * velocity[at]! > 0;
    gains[at] = turns ? Math.max(0.01, gains[at]! * 0.8) : gains[at]! + 0.2;
    velocity[at] = momentum * velocity[at]! - rate * gains[at]! * slope[at]!;
    y[at]! += velocity[at]!;
    mean[at & 1]! += (2 * y[at]!) / y.length;
  }
  for (let at = 0; at < y.length; at += 1) y[at]! -= mean[at & 1]!;
}

/** `4 sum_j (e p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|^2)` for every point. */
function gradient(p: Float64Array, y: Float64Array, exaggeration: number): Float64Array {
  const count = y.length / 2;
  const pull = new Float64Array(y.length);
  const push = new Float64Array(y.length);
  let total = 0;
  for (let i = 0; i < count; i += 1) {
    const x = y[2 * i]!;
    const height = y[2 * i + 1]!;
    let [pullX, pullY, pushX, pushY] = [0, 0, 0, 0];
    for (let j = 0; j < i; j += 1) {
      const dx = x - y[2 * j]!;
      const dy = height - y[2 * j + 1]!;
      const near = 1 / (1 + dx * dx + dy * dy);
      const attraction = p[i * count + j]! * near;
      const repulsion = near * near;
      total += near;
      pullX += attraction * dx;
      pullY += attraction * dy;
      pushX += repulsion * dx;
      pushY += repulsion * dy;
      pull[2 * j]! -= attraction * dx;
      pull[2 * j + 1]! -= attraction * dy;
      push[2 * j]! -= repulsion * dx;
      push[2 * j + 1]! -= repulsion * dy;
    }
    pull[2 * i]! += pullX;
    pull[2 * i + 1]! += pullY;
    push[2 * i]! += pushX;
    push[2 * i + 1]! += pushY;
  }
  return pull.map((value, at) => 4 * (exaggeration * value - push[at]! / (2 * total)));
}

/** `sum p_ij ln(p_ij / q_ij)`, nats. */
function divergence(p: Float64Array, y: Float64Array): number {
  const count = y.length / 2;
  let [sum, total] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const distance = (y[2 * i]! - y[2 * j]!) ** 2 + (y[2 * i + 1]! - y[2 * j + 1]!) ** 2;
      const weight = p[i * count + j]!;
      total += 2 / (1 + distance);
      if (weight > 0) sum += 2 * weight * (Math.log(weight) + Math.log1p(distance));
    }
  }
  return sum + Math.log(total);
}
