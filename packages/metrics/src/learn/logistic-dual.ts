import { ConfigError } from '@lab/core';
import type { DualClassifier } from './centroids.js';
import { cholesky, solveCholesky } from './cholesky.js';
import { indexClasses } from './feature-matrix.js';
import type { LogisticOptions } from './logistic.js';

/** A logistic regression in the rows it was fitted on. */
export interface DualLogistic extends DualClassifier {
  /** Whether Newton's method came to rest. */
  readonly converged: boolean;
}

/**
 * Logistic regression with a ridge, from inner products of rows: for features that are many more
 * than rows.
 *
 * Minimises `sum_i ln(1 + e^{-y_i (w x_i + b)}) + l2 / 2 |w|^2` over w in the span of the rows,
 * where the minimum lies, by Newton's method with halved steps. The features are taken as they
 * are, not standardised. More than two classes: each against all others.
 * Source: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4.1 and 12.3.
 *
 * @param gram - inner products of all pairs of rows, `[N, N]`.
 * @param labels - a whole number per row, `[N]`.
 * @returns logits: of the second of two classes, else of each class against the others.
 * @throws {ConfigError} when l2 is not above 0; {@link DataError} for rows of one class.
 */
export function fitLogisticOnGram(
  gram: Float64Array,
  labels: ArrayLike<number>,
  { l2 = 1, maxSteps = 50 }: LogisticOptions = {},
): DualLogistic {
  const n = labels.length;
  if (gram.length !== n * n || !(l2 > 0)) {
    throw new ConfigError(
      `metrics/fitLogisticOnGram: ${n} labels, ${gram.length} inner products, l2 ${l2}.`,
      { help: 'give the inner products of all pairs of rows, and an l2 above 0.' },
    );
  }
  const { classes, places } = indexClasses('metrics/fitLogisticOnGram', labels, n);
  const positives = classes.length === 2 ? [1] : Array.from(classes.keys());
  const coefficients = new Float64Array(positives.length * n);
  const intercepts = new Float64Array(positives.length);
  let converged = true;
  for (const [output, positive] of positives.entries()) {
    const targets = Float64Array.from(places, (place) => (place === positive ? 1 : 0));
    const fitted = newton({ gram, targets, l2 }, maxSteps);
    coefficients.set(fitted.weights, output * n);
    intercepts[output] = fitted.intercept;
    converged &&= fitted.converged;
  }
  return { classes, outputCount: positives.length, coefficients, intercepts, converged };
}

interface Problem {
  readonly gram: Float64Array;
  /** 0 or 1, `[N]`. */
  readonly targets: Float64Array;
  readonly l2: number;
}

interface Point {
  /** Per row, `[N]`; sums to 0 at the optimum. */
  readonly weights: Float64Array;
  readonly intercept: number;
  /** `K weights + intercept`, `[N]`. */
  readonly logits: Float64Array;
}

function newton(problem: Problem, maxSteps: number): Point & { readonly converged: boolean } {
  const n = problem.targets.length;
  let point: Point = {
    ...{ weights: new Float64Array(n), intercept: 0, logits: new Float64Array(n) },
  };
  let objective = objectiveOf(problem, point);
  for (let step = 0; step < maxSteps; step += 1) {
    const target = newtonTarget(problem, point);
    let length = 1;
    let next = target;
    let reached = objectiveOf(problem, next);
    while (!(reached <= objective) && length > 1e-6) {
      length /= 2;
      next = between(point, target, length);
      reached = objectiveOf(problem, next);
    }
    if (!(reached <= objective)) return { ...point, converged: true }; // within rounding
    const change = next.logits.reduce(
      (most, logit, i) => Math.max(most, Math.abs(logit - point.logits[i]!)),
      0,
    );
    point = next;
    objective = reached;
    if (change < 1e-9) return { ...point, converged: true };
  }
  return { ...point, converged: false };
}

function objectiveOf({ targets, l2 }: Problem, { weights, intercept, logits }: Point): number {
  let sum = 0;
  for (let i = 0; i < targets.length; i += 1) {
    const f = logits[i]!;
    sum += Math.max(f, 0) + Math.log1p(Math.exp(-Math.abs(f))) - targets[i]! * f;
    sum += (l2 / 2) * weights[i]! * (f - intercept);
  }
  return sum;
}

/**
 * Where the quadratic model of the objective has its minimum: `(K + l2 W^-1) a + b 1 = z`,
 * `sum a = 0`, W the curvatures, `z = f + W^-1 (y - p)`; solved as `S (l2 I + S K S)^-1 S` with
 * `S = W^1/2`, which stays well conditioned.
 */
function newtonTarget({ gram, targets, l2 }: Problem, { logits }: Point): Point {
  const n = targets.length;
  const roots = new Float64Array(n);
  const scaled = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    const p = 1 / (1 + Math.exp(-logits[i]!));
    roots[i] = Math.sqrt(Math.max(p * (1 - p), 1e-12));
    scaled[i] = roots[i]! * logits[i]! + (targets[i]! - p) / roots[i]!;
  }
  const system = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      system[i * n + j] = roots[i]! * gram[i * n + j]! * roots[j]! + (i === j ? l2 : 0);
    }
  }
  const factor = cholesky(system, n);
  const ones = solveCholesky(factor, roots);
  const values = solveCholesky(factor, scaled);
  let [up, down] = [0, 0];
  for (let i = 0; i < n; i += 1) {
    up += roots[i]! * values[i]!;
    down += roots[i]! * ones[i]!;
  }
  const intercept = up / down;
  const weights = values.map((value, i) => roots[i]! * (value - intercept * ones[i]!));
  const next = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    let sum = intercept;
    for (let j = 0; j < n; j += 1) sum += gram[i * n + j]! * weights[j]!;
    next[i] = sum;
  }
  return { weights, intercept, logits: next };
}

function between(from: Point, to: Point, share: number): Point {
  const mix = (a: number, b: number) => a + share * (b - a);
  return {
    weights: from.weights.map((value, i) => mix(value, to.weights[i]!)),
    intercept: mix(from.intercept, to.intercept),
    logits: from.logits.map((value, i) => mix(value, to.logits[i]!)),
  };
}
