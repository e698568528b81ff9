import { DataError, ShapeError } from '@lab/core';

/**
 * Column given to each row so that the total cost is least; each column is used at most once.
 *
 * Shortest augmenting paths with potentials, O(min(n, m)^2 max(n, m)).
 * Source: Kuhn 1955, in the form of Jonker and Volgenant 1987.
 *
 * @param cost - `[n, m]`, any finite numbers.
 * @returns `[n]` column of each row; -1 for rows left over when n > m.
 * @throws {ShapeError} when the rows differ in length.
 * @throws {DataError} when a cost is not finite.
 */
export function hungarian(cost: readonly ArrayLike<number>[]): Int32Array {
  const rowCount = cost.length;
  const columnCount = rowCount > 0 ? cost[0]!.length : 0;
  requireMatrix(cost, columnCount);
  if (rowCount <= columnCount) return assign(cost, rowCount, columnCount);
  const transposed = Array.from({ length: columnCount }, (_, column) =>
    Float64Array.from(cost, (row) => row[column]!),
  );
  const result = new Int32Array(rowCount).fill(-1);
  assign(transposed, columnCount, rowCount).forEach((row, column) => {
    result[row] = column;
  });
  return result;
}

/** Rows and columns count from 1 here; 0 is the column from which each search starts. */
function assign(cost: readonly ArrayLike<number>[], n: number, m: number): Int32Array {
  const state = {
    rowPotential: new Float64Array(n + 1),
    columnPotential: new Float64Array(m + 1),
    rowOf: new Int32Array(m + 1),
    previous: new Int32Array(m + 1),
  };
  for (let row = 1; row <= n; row++) {
    state.rowOf[0] = row;
    let column = findFreeColumn(cost, state);
    while (column !== 0) {
      const before = state.previous[column]!;
      state.rowOf[column] = state.rowOf[before]!;
      column = before;
    }
  }
  const result = new Int32Array(n).fill(-1);
  for (let column = 1; column <= m; column++) {
    if (state.rowOf[column]! > 0) result[state.rowOf[column]! - 1] = column - 1;
  }
  return result;
}

interface SearchState {
  readonly rowPotential: Float64Array;
  readonly columnPotential: Float64Array;
  readonly rowOf: Int32Array;
  readonly previous: Int32Array;
}

/** Dijkstra over reduced costs; leaves the path in `previous`, returns its last column. */
function findFreeColumn(cost: readonly ArrayLike<number>[], state: SearchState): number {
  const { rowPotential, columnPotential, rowOf, previous } = state;
  const m = rowOf.length - 1;
  const distance = new Float64Array(m + 1).fill(Number.POSITIVE_INFINITY);
  const isUsed = new Uint8Array(m + 1);
  let current = 0;
  do {
    isUsed[current] = 1;
    const row = rowOf[current]!;
    const costs = cost[row - 1]!;
    let least = Number.POSITIVE_INFINITY;
    let nearest = 0;
    for (let column = 1; column <= m; column++) {
      if (isUsed[column]) continue;
      const reduced = costs[column - 1]! - rowPotential[row]! - columnPotential[column]!;
      if (reduced < distance[column]!) {
        distance[column] = reduced;
        previous[column] = current;
      }
      if (distance[column]! < least) {
        least = distance[column]!;
        nearest = column;
      }
    }
    for (let column = 0; column <= m; column++) {
      if (isUsed[column]) {
        rowPotential[rowOf[column]!]! += least;
        columnPotential[column]! -= least;
      } else distance[column]! -= least;
    }
    current = nearest;
  } while (rowOf[current] !== 0);
  return current;
}

function requireMatrix(cost: readonly ArrayLike<number>[], columnCount: number): void {
  cost.forEach((row, index) => {
    if (row.length !== columnCount) {
      throw new ShapeError(
        `metrics/assignment: row ${index} has ${row.length} costs, row 0 has ${columnCount}.`,
        { expected: [columnCount], got: [row.length] },
      );
    }
    for (let column = 0; column < row.length; column++) {
      if (Number.isFinite(row[column]!)) continue;
      throw new DataError(
        `metrics/assignment: the cost of row ${index}, column ${column} is ${row[column]}.`,
        { help: 'Use a large finite number for pairs that must not be chosen.' },
      );
    }
  });
}
