import { ConfigError } from '@lab/core';

/** The dual problem of a support vector machine of two classes. */
export interface SvmDual {
  /** Kernel of all rows, `[N, N]`, symmetric and positive semidefinite. */
  readonly kernel: Float64Array;
  /** N. */
  readonly rowCount: number;
  /** The rows that take part, `[M]`. */
  readonly rows: Int32Array;
  /** 1 or -1 for each of them, `[M]`. */
  readonly signs: Int8Array;
  /** C of the positive and of the negative ones. */
  readonly costs: readonly [number, number];
  /** Largest violation of the optimality conditions at which to stop. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

/** Where the solver stopped. */
export interface SvmDualSolution {
  /** Multipliers alpha, `[M]`, in 0..C. */
  readonly alphas: Float64Array;
  /** `f(x) = sum_i alpha_i sign_i K(x_i, x) + intercept`. */
  readonly intercept: number;
  readonly iterations: number;
  /** Whether the largest violation came below the tolerance. */
  readonly converged: boolean;
}

/** What stands for a curvature that is not positive. */
const TAU = 1e-12;

/** Multipliers, the gradient in the form the working set needs, and who may move which way. */
interface State {
  readonly alphas: Float64Array;
  /** `-sign_k dF/dalpha_k`; at the optimum no riser exceeds a faller. */
  readonly slopes: Float64Array;
  /** 1 where `sign_k alpha_k` can still grow. */
  readonly risers: Uint8Array;
  /** 1 where `sign_k alpha_k` can still fall. */
  readonly fallers: Uint8Array;
  /** `K(x_k, x_k)`. */
  readonly squares: Float64Array;
}

/**
 * Solves `min 1/2 a'Qa - sum a` with `0 <= a <= C`, `sum sign_k a_k = 0`, `Q_kl = sign_k sign_l
 * K_kl`, by sequential minimal optimisation of two multipliers at a time.
 *
 * The first one violates optimality most, the second promises most by second order. Source: Fan,
 * Chen & Lin, "Working set selection using second order information for training support vector
 * machines" (2005), WSS 2; the steps of LIBSVM, without shrinking, in double precision.
 *
 * @throws {ConfigError} when a cost or the tolerance is not above 0.
 */
export function solveSvmDual(dual: SvmDual): SvmDualSolution {
  const { signs, costs, tolerance, maxIterations } = dual;
  if (!(costs[0] > 0 && costs[1] > 0 && tolerance > 0)) {
    throw new ConfigError(
      `metrics/svm: cost ${costs.join(' and ')}, tolerance ${tolerance}; all must be above 0.`,
    );
  }
  const state: State = {
    alphas: new Float64Array(signs.length),
    slopes: Float64Array.from(signs),
    risers: Uint8Array.from(signs, (sign) => (sign > 0 ? 1 : 0)),
    fallers: Uint8Array.from(signs, (sign) => (sign < 0 ? 1 : 0)),
    squares: Float64Array.from(dual.rows, (row) => dual.kernel[row * (dual.rowCount + 1)]!),
  };
  let iterations = 0;
  let converged = false;
  let first = mostViolating(state);
  for (; iterations < maxIterations; iterations += 1) {
    const second = first < 0 ? -1 : partnerOf(first, state, dual);
    if (second < 0) {
      converged = true;
      break;
    }
    first = step(first, second, { state, dual });
  }
  return { alphas: state.alphas, intercept: interceptOf(state, dual), iterations, converged };
}

/** The riser with the steepest slope. */
function mostViolating({ slopes, risers }: State): number {
  let found = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < slopes.length; k += 1) {
    if (risers[k] !== 1 || slopes[k]! < most) continue;
    most = slopes[k]!;
    found = k;
  }
  return found;
}

/** The faller that lowers the objective most together with `first`; -1 when all is optimal. */
function partnerOf(first: number, state: State, dual: SvmDual): number {
  const { slopes, fallers, squares } = state;
  const { kernel, rowCount, rows, tolerance } = dual;
  const row = rows[first]! * rowCount;
  const own = squares[first]!;
  const most = slopes[first]!;
  let found = -1;
  let best = Number.POSITIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < slopes.length; k += 1) {
    if (fallers[k] !== 1) continue;
    const slope = slopes[k]!;
    if (slope < least) least = slope;
    const gap = most - slope;
    if (gap <= 0) continue;
    const curvature = own + squares[k]! - 2 * kernel[row + rows[k]!]!;
    const change = -(gap * gap) / (curvature > 0 ? curvature : TAU);
    if (change > best) continue;
    best = change;
    found = k;
  }
  return most - least < tolerance ? -1 : found;
}

interface StepInput {
  readonly state: State;
  readonly dual: SvmDual;
}

/**
 * Moves two multipliers to the minimum along their line, inside the box.
 *
 * @returns the riser that then has the steepest slope, as {@link mostViolating}: found on the way.
 */
function step(i: number, j: number, { state, dual }: StepInput): number {
  const { alphas, slopes, risers, fallers, squares } = state;
  const { kernel, rowCount, rows, signs } = dual;
  const [rowI, rowJ] = [rows[i]! * rowCount, rows[j]! * rowCount];
  const curvature = squares[i]! + squares[j]! - 2 * kernel[rowI + rows[j]!]!;
  const move = (slopes[i]! - slopes[j]!) / (curvature > 0 ? curvature : TAU);
  const [nextI, nextJ] = boxed(i, j, { move, state, dual });
  const changeI = signs[i]! * (nextI - alphas[i]!);
  const changeJ = signs[j]! * (nextJ - alphas[j]!);
  alphas[i] = nextI;
  alphas[j] = nextJ;
  for (const k of [i, j]) {
    const cost = costOf(k, dual);
    const [isLow, isHigh] = [alphas[k]! <= 0, alphas[k]! >= cost];
    risers[k] = (signs[k]! > 0 ? isHigh : isLow) ? 0 : 1;
    fallers[k] = (signs[k]! > 0 ? isLow : isHigh) ? 0 : 1;
  }
  let found = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < slopes.length; k += 1) {
    const place = rows[k]!;
    const slope = slopes[k]! - changeI * kernel[rowI + place]! - changeJ * kernel[rowJ + place]!;
    slopes[k] = slope;
    if (risers[k] !== 1 || slope < most) continue;
    most = slope;
    found = k;
  }
  return found;
}

const costOf = (k: number, { signs, costs }: SvmDual): number => costs[signs[k]! > 0 ? 0 : 1];

/** The multipliers after a move, cut so that both stay in 0..C and their signed sum as it is. */
function boxed(
  i: number,
  j: number,
  { move, state, dual }: StepInput & { readonly move: number },
): [number, number] {
  const { alphas } = state;
  const { signs } = dual;
  const [costI, costJ] = [costOf(i, dual), costOf(j, dual)];
  let nextI = alphas[i]! + signs[i]! * move;
  let nextJ = alphas[j]! - signs[j]! * move;
  // Along the line the other multiplier is `sum - a` for equal signs and `a - difference` else.
  if (signs[i] === signs[j]) {
    const sum = alphas[i]! + alphas[j]!;
    if (sum > costI && nextI > costI) [nextI, nextJ] = [costI, sum - costI];
    else if (sum <= costI && nextJ < 0) [nextI, nextJ] = [sum, 0];
    if (sum > costJ && nextJ > costJ) [nextI, nextJ] = [sum - costJ, costJ];
    else if (sum <= costJ && nextI < 0) [nextI, nextJ] = [0, sum];
    return [nextI, nextJ];
  }
  const difference = alphas[i]! - alphas[j]!;
  if (difference > 0 && nextJ < 0) [nextI, nextJ] = [difference, 0];
  else if (difference <= 0 && nextI < 0) [nextI, nextJ] = [0, -difference];
  if (difference > costI - costJ && nextI > costI) [nextI, nextJ] = [costI, costI - difference];
  else if (difference <= costI - costJ && nextJ > costJ) {
    [nextI, nextJ] = [costJ + difference, costJ];
  }
  return [nextI, nextJ];
}

/** The mean slope of the free multipliers; without any, the middle of what the bounds allow. */
function interceptOf({ alphas, slopes, risers, fallers }: State, dual: SvmDual): number {
  let sum = 0;
  let free = 0;
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  for (let k = 0; k < slopes.length; k += 1) {
    const slope = slopes[k]!;
    if (alphas[k]! > 0 && alphas[k]! < costOf(k, dual)) {
      sum += slope;
      free += 1;
    } else if (risers[k] === 1) low = Math.max(low, slope);
    else if (fallers[k] === 1) high = Math.min(high, slope);
  }
  return free > 0 ? sum / free : (low + high) / 2;
}
