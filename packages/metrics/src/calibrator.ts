import { type BinaryLabels, orderByScore, requireBothClasses } from './calibration.js';
import { requireSameLength } from './interval.js';

/** What a fitted calibration is made of: plain data, to be stored beside a model. */
export type CalibrationParameters =
  | { readonly kind: 'platt'; readonly slope: number; readonly intercept: number }
  | {
      readonly kind: 'isotonic';
      readonly scores: readonly number[];
      readonly probabilities: readonly number[];
    };

/** A function from score to probability, with the parameters that `applyCalibration` reads. */
export interface Calibrator {
  (score: number): number;
  readonly parameters: CalibrationParameters;
}

/** The probability 0..1 that stored parameters give to a score. */
export function applyCalibration(parameters: CalibrationParameters, score: number): number {
  if (parameters.kind === 'platt') {
    return 1 / (1 + Math.exp(-(parameters.slope * score + parameters.intercept)));
  }
  return interpolate(parameters.scores, parameters.probabilities, score);
}

function calibrator(parameters: CalibrationParameters): Calibrator {
  return Object.assign((score: number) => applyCalibration(parameters, score), { parameters });
}

/**
 * Platt's calibration: a logistic curve fitted to scores and outcomes.
 *
 * `P(positive | s) = 1 / (1 + exp(-(slope s + intercept)))`, maximum likelihood against the
 * smoothed targets (P + 1)/(P + 2) and 1/(N + 2), by Newton's method with halved steps.
 * Source: Platt 1999; numerics after Lin, Lin and Weng 2007.
 *
 * @param scores - any real numbers.
 * @param labels - true or 1 for positive.
 * @throws {DataError} when one class is empty or a score is not a number.
 */
export function fitPlatt(scores: ArrayLike<number>, labels: BinaryLabels): Calibrator {
  const { centre, scale, targets } = plattProblem(scores, labels);
  const x = Float64Array.from(scores, (score) => (score - centre) / scale);
  let point: PlattPoint = { slope: 0, intercept: 0 };
  let loss = plattLoss(x, targets, point);
  for (let iteration = 0; iteration < 100; iteration++) {
    const direction = plattStep(x, targets, point);
    let length = 1;
    let next = point;
    let nextLoss = loss;
    for (; length > 1e-10; length /= 2) {
      next = {
        slope: point.slope + length * direction.slope,
        intercept: point.intercept + length * direction.intercept,
      };
      nextLoss = plattLoss(x, targets, next);
      if (nextLoss <= loss) break;
    }
    const isDone = length <= 1e-10 || loss - nextLoss < 1e-14 * Math.abs(loss);
    if (nextLoss <= loss) [point, loss] = [next, nextLoss];
    if (isDone) break;
  }
  const slope = point.slope / scale;
  return calibrator({ kind: 'platt', slope, intercept: point.intercept - slope * centre });
}

interface PlattPoint {
  readonly slope: number;
  readonly intercept: number;
}

function plattProblem(scores: ArrayLike<number>, labels: BinaryLabels) {
  requireSameLength(scores, labels, 'metrics/calibration');
  orderByScore(scores);
  let positives = 0;
  let sum = 0;
  for (let index = 0; index < scores.length; index++) {
    positives += labels[index] ? 1 : 0;
    sum += scores[index]!;
  }
  const negatives = scores.length - positives;
  requireBothClasses(positives, negatives);
  const centre = sum / scores.length;
  let squares = 0;
  for (let index = 0; index < scores.length; index++) squares += (scores[index]! - centre) ** 2;
  const scale = Math.sqrt(squares / scores.length) || 1;
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (negatives + 2)];
  const targets = Float64Array.from({ length: scores.length }, (_, i) => (labels[i] ? high : low));
  return { centre, scale, targets };
}

/** Cross-entropy in nats: log(1 + e^z) - target z, written so that nothing overflows. */
function plattLoss(x: Float64Array, targets: Float64Array, point: PlattPoint): number {
  let loss = 0;
  for (let index = 0; index < x.length; index++) {
    const z = point.slope * x[index]! + point.intercept;
    loss += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - targets[index]! * z;
  }
  return loss;
}

function plattStep(x: Float64Array, targets: Float64Array, point: PlattPoint): PlattPoint {
  let [gradientSlope, gradientIntercept, h11, h12, h22] = [0, 0, 1e-12, 0, 1e-12];
  for (let index = 0; index < x.length; index++) {
    const value = x[index]!;
    const probability = 1 / (1 + Math.exp(-(point.slope * value + point.intercept)));
    const error = probability - targets[index]!;
    const weight = probability * (1 - probability);
    gradientSlope += error * value;
    gradientIntercept += error;
    h11 += weight * value * value;
    h12 += weight * value;
    h22 += weight;
  }
  const determinant = h11 * h22 - h12 * h12;
  return {
    slope: -(h22 * gradientSlope - h12 * gradientIntercept) / determinant,
    intercept: -(h11 * gradientIntercept - h12 * gradientSlope) / determinant,
  };
}

/**
 * Isotonic calibration: the non-decreasing step fit of outcomes to scores, linear in between.
 *
 * Pool-adjacent-violators; equal scores are pooled first. Outside the fitted scores the ends
 * hold. Source: Zadrozny and Elkan 2002.
 *
 * @param scores - any real numbers.
 * @param labels - true or 1 for positive.
 * @throws {DataError} when one class is empty or a score is not a number.
 */
export function fitIsotonic(scores: ArrayLike<number>, labels: BinaryLabels): Calibrator {
  requireSameLength(scores, labels, 'metrics/calibration');
  const order = orderByScore(scores);
  let positives = 0;
  const blocks: { first: number; last: number; sum: number; count: number }[] = [];
  for (const index of order) {
    const score = scores[index]!;
    const label = labels[index] ? 1 : 0;
    positives += label;
    const top = blocks.at(-1);
    if (top && top.last === score && top.first === score) {
      top.sum += label;
      top.count += 1;
      continue;
    }
    poolViolators(blocks);
    blocks.push({ first: score, last: score, sum: label, count: 1 });
  }
  poolViolators(blocks);
  requireBothClasses(positives, order.length - positives);
  const knots = blocks.flatMap(({ first, last, sum, count }) =>
    first === last
      ? [[first, sum / count]]
      : [
          [first, sum / count],
          [last, sum / count],
        ],
  ) as [number, number][];
  return calibrator({
    kind: 'isotonic',
    scores: knots.map(([score]) => score),
    probabilities: knots.map(([, probability]) => probability),
  });
}

function poolViolators(
  blocks: { first: number; last: number; sum: number; count: number }[],
): void {
  while (blocks.length > 1) {
    const top = blocks.at(-1)!;
    const below = blocks.at(-2)!;
    if (below.sum * top.count < top.sum * below.count) return;
    blocks.pop();
    below.last = top.last;
    below.sum += top.sum;
    below.count += top.count;
  }
}

function interpolate(xs: readonly number[], ys: readonly number[], x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  let low = 0;
  let high = xs.length - 1;
  if (x <= xs[low]!) return ys[low]!;
  if (x >= xs[high]!) return ys[high]!;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle]! <= x) low = middle;
    else high = middle;
  }
  const share = (x - xs[low]!) / (xs[high]! - xs[low]!);
  return ys[low]! + share * (ys[high]! - ys[low]!);
}
