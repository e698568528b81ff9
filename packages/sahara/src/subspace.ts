/**
 * The directions in which a set of prompts moves the final states, and angles between them.
 */
import { DataError, ShapeError } from '@lab/core';
import { eigh, type Matrix, type MatrixLike, multiply, svd, transpose } from '@lab/tensor/linalg';

/** Rows of states, `[N, D]` row-major. */
export interface StateRows {
  readonly rowCount: number;
  readonly width: number;
  readonly data: Float32Array | Float64Array;
}

/** Which subspace is meant. */
export interface SubspaceOptions {
  /**
   * `left`: of the prompts, `[N, r]` (paper, eq. 11); `right`: of the states, `[D, r]`. Default
   * `left`.
   */
  readonly side?: 'left' | 'right' | undefined;
  /** Whether the mean over prompts is taken away first; default false. */
  readonly center?: boolean | undefined;
  /** r; less where the states have no more directions. Default 1. */
  readonly rank?: number | undefined;
}

/** The first singular vectors of states. */
export interface Subspace {
  /** `[N, r]` or `[D, r]`, orthonormal columns. */
  readonly basis: Matrix;
  /** All singular values, descending. */
  readonly values: Float64Array;
  readonly rank: number;
  /** Rank that was asked for. */
  readonly askedRank: number;
  /** Share by which singular value r + 1 is less than value r; next to 0 the subspace is chance. */
  readonly gap: number;
}

/** Singular values this small beside the first are none: states have float32 precision. */
const NONE = 1e-7;

/**
 * The first r left or right singular vectors of states, in float64.
 *
 * Left vectors are eigenvectors of the products of rows, `M M^T`; right ones `M^T u / sigma`.
 * Source: Zhou et al., section 4.1; neither centred nor normalised by default, as released.
 *
 * @throws {DataError} for fewer than two rows: every angle would be 0.
 * @throws {ShapeError} for states that are not finite, or none of whose values is other than 0.
 */
export function safetySubspace(
  states: StateRows,
  { side = 'left', center = false, rank: askedRank = 1 }: SubspaceOptions = {},
): Subspace {
  if (states.rowCount < 2) {
    throw new DataError(`sahara/subspace: there is ${states.rowCount} prompt, two are needed.`, {
      help: 'One prompt has one direction, whatever is ablated; use ships for a single prompt.',
    });
  }
  const { rowCount: rows, width: columns } = states;
  const data = center ? centred(states) : Float64Array.from(states.data);
  const { values: squares, vectors } = eigh({ rows, columns: rows, data: rowProducts(data, rows) });
  const order = Array.from(squares.keys()).toReversed();
  const values = Float64Array.from(order, (at) => Math.sqrt(Math.max(squares[at]!, 0)));
  const most = Math.min(rows, columns, askedRank);
  const rank = values.subarray(0, most).filter((value) => value > NONE * values[0]!).length;
  if (rank === 0) {
    throw new ShapeError('sahara/subspace: all states are 0.', {
      help: center ? 'All prompts have the same state: give other prompts.' : 'Check the model.',
    });
  }
  const left = columnsOf(vectors, order.slice(0, rank));
  const next = values[rank] ?? 0;
  return {
    basis: side === 'left' ? left : rightVectors({ rows, columns, data }, left, values),
    ...{ values, rank, askedRank, gap: 1 - next / values[rank - 1]! },
  };
}

function centred({ rowCount, width, data }: StateRows): Float64Array {
  const means = new Float64Array(width);
  for (let at = 0; at < data.length; at += 1) means[at % width]! += data[at]! / rowCount;
  return Float64Array.from(data, (value, at) => value - means[at % width]!);
}

/** `M M^T`. */
function rowProducts(data: Float64Array, rows: number): Float64Array {
  const columns = data.length / rows;
  const products = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i += 1) {
    const own = data.subarray(i * columns, (i + 1) * columns);
    for (let j = 0; j <= i; j += 1) {
      const other = data.subarray(j * columns, (j + 1) * columns);
      let sum = 0;
      for (let at = 0; at < columns; at += 1) sum += own[at]! * other[at]!;
      products[i * rows + j] = sum;
      products[j * rows + i] = sum;
    }
  }
  return products;
}

function columnsOf({ rows, columns, data }: Matrix, chosen: readonly number[]): Matrix {
  const picked = new Float64Array(rows * chosen.length);
  for (let row = 0; row < rows; row += 1) {
    for (const [at, column] of chosen.entries()) {
      picked[row * chosen.length + at] = data[row * columns + column]!;
    }
  }
  return { rows, columns: chosen.length, data: picked };
}

/** `M^T u / sigma` of each column. */
function rightVectors(states: Matrix, left: Matrix, values: Float64Array): Matrix {
  const right = multiply(transpose(states), left);
  for (let at = 0; at < right.data.length; at += 1) {
    right.data[at] = right.data[at]! / values[at % left.columns]!;
  }
  return right;
}

/**
 * Principal angles between the spans of two orthonormal bases, ascending.
 *
 * `cos phi` are the singular values of `A^T B`; where these are next to 1 the angle is taken from
 * `sin phi`, those of `B - A (A^T B)`, so that angles far below 1e-8 are told apart.
 * Source: Bjorck and Golub, Numerical Methods for Computing Angles Between Linear Subspaces.
 *
 * @param a - `[n, r]`, orthonormal columns.
 * @param b - `[n, r']`.
 * @returns radians, 0 to pi / 2; as many as the smaller basis has columns.
 * @throws {ShapeError} for bases of spaces of different size.
 */
export function principalAngles(a: MatrixLike, b: MatrixLike): Float64Array {
  if (a.rows !== b.rows) {
    throw new ShapeError(`sahara/subspace: bases have ${a.rows} and ${b.rows} rows.`, {
      ...{ expected: a.rows, got: b.rows, help: 'Compare states of the same prompts.' },
    });
  }
  const [narrow, wide] = a.columns <= b.columns ? [copyOf(a), copyOf(b)] : [copyOf(b), copyOf(a)];
  const products = multiply(transpose(wide), narrow);
  const cosines = svd(products).values;
  const within = multiply(wide, products);
  const rest = narrow.data.map((value, at) => value - within.data[at]!);
  const sines = svd({ rows: narrow.rows, columns: narrow.columns, data: rest }).values.toReversed();
  return cosines.map((cosine, at) =>
    cosine * cosine > 0.5 ? Math.asin(Math.min(sines[at]!, 1)) : Math.acos(Math.min(cosine, 1)),
  );
}

const copyOf = ({ rows, columns, data }: MatrixLike): Matrix => ({
  ...{ rows, columns, data: Float64Array.from(data) },
});

/**
 * Sum of the principal angles of two subspaces, in degrees: data-set Ships.
 *
 * `Ships(Q, h) = sum_j phi_j`. Source: paper, eq. 11.
 * A direction that one of them has and the other lacks counts as a right angle: otherwise the head
 * whose ablation takes a whole direction away would score less than one that turns it.
 */
export function subspaceShift(intact: Subspace, ablated: Subspace): number {
  const angles = principalAngles(intact.basis, ablated.basis);
  const turned = (angles.reduce((sum, angle) => sum + angle, 0) * 180) / Math.PI;
  return turned + 90 * Math.abs(intact.rank - ablated.rank);
}
