import { ConfigError } from '@lab/core';
import { dotKernel, PANEL_START, TILE_COLUMNS, TILE_ROWS, TILE_STEP } from './dot-kernel.js';
import { checkFeatures, type FeatureMatrix } from './feature-matrix.js';

/** Columns of all rows that are packed at a time. */
const PANEL = 256;
/** Rows of the right side that stay in the second cache while the left side passes by. */
const BLOCK = 96;

/**
 * Inner products of all pairs of rows: `G = X X^T`.
 *
 * What linear classifiers need to know of the rows, however wide they are: computed once, it
 * serves every split, every choice of labels and every linear learner here.
 *
 * @param rows - X, `[N, F]`, finite.
 * @returns `[N, N]` in double precision, symmetric.
 * @throws {DataError} naming the place of a value that is not finite.
 */
export function gramMatrix(rows: FeatureMatrix): Float64Array {
  checkFeatures('metrics/gramMatrix', rows);
  const n = rows.rowCount;
  const out = productsOf(rows, rows, { isLowerHalf: true });
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < i; j += 1) out[j * n + i] = out[i * n + j]!;
  }
  return out;
}

/**
 * Inner products of the rows of two matrices: `A B^T`.
 *
 * @param a - `[M, F]`, finite.
 * @param b - `[N, F]`, finite.
 * @returns `[M, N]` in double precision.
 * @throws {ConfigError} when the widths differ.
 */
export function crossProducts(a: FeatureMatrix, b: FeatureMatrix): Float64Array {
  checkFeatures('metrics/crossProducts', a);
  checkFeatures('metrics/crossProducts', b);
  if (a.columnCount !== b.columnCount) {
    throw new ConfigError(
      `metrics/crossProducts: rows are ${a.columnCount} and ${b.columnCount} wide.`,
      { help: 'give rows of the same features on both sides.' },
    );
  }
  return productsOf(a, b);
}

/** One side of a product: a matrix, or some of its rows, or of its columns, in their order. */
export interface ProductSide extends FeatureMatrix {
  readonly rows?: ArrayLike<number> | undefined;
  readonly columns?: ArrayLike<number> | undefined;
}

/** How {@link productsOf} works. */
export interface ProductOptions {
  /** Only products of row i of a with rows up to i of b are wanted; the others may be wrong. */
  readonly isLowerHalf?: boolean;
  /** Where the products go, `[M, N]`; default a new array. */
  readonly into?: Float64Array | undefined;
}

/** As {@link crossProducts}, of matrices that have been checked. */
export function productsOf(
  a: ProductSide,
  b: ProductSide,
  { isLowerHalf = false, into }: ProductOptions = {},
): Float64Array {
  const [rowCount, otherCount] = [a, b].map((side) => side.rows?.length ?? side.rowCount);
  const columnCount = a.columns?.length ?? a.columnCount;
  const out = into?.fill(0) ?? new Float64Array(rowCount! * otherCount!);
  const right = roundUp(rowCount!, TILE_ROWS);
  const rowsInAll = right + roundUp(otherCount!, TILE_COLUMNS);
  const width = roundUp(Math.min(PANEL, columnCount), TILE_STEP);
  const memory = dotKernel().numbers(PANEL_START + rowsInAll * width * 8);
  for (let start = 0; start < columnCount; start += PANEL) {
    const count = Math.min(PANEL, columnCount - start);
    pack(memory, a, { start, count, width, at: 0 });
    pack(memory, b, { start, count, width, at: right });
    const panel = { width, right, columnCount: otherCount!, rowCount: rowCount!, isLowerHalf };
    for (let from = 0; from < otherCount!; from += BLOCK) addBlock(out, memory, panel, from);
  }
  return out;
}

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

interface PanelPlace {
  /** First column, and how many. */
  readonly start: number;
  readonly count: number;
  /** Numbers of a packed row. */
  readonly width: number;
  /** First packed row. */
  readonly at: number;
}

/** Copies some columns of all rows, filled up with zeros. */
function pack(
  memory: Float64Array,
  { rowCount, columnCount, values, rows, columns }: ProductSide,
  { start, count, width, at }: PanelPlace,
): void {
  const base = PANEL_START / 8 + at * width;
  const packed = rows?.length ?? rowCount;
  for (let row = 0; row < packed; row += 1) {
    const to = base + row * width;
    const from = (rows === undefined ? row : rows[row]!) * columnCount;
    if (columns === undefined) {
      memory.set(values.subarray(from + start, from + start + count), to);
    } else {
      for (let c = 0; c < count; c += 1) memory[to + c] = values[from + columns[start + c]!]!;
    }
    if (count < width) memory.fill(0, to + count, to + width);
  }
}

interface Panel {
  readonly width: number;
  /** Packed row at which the right side begins. */
  readonly right: number;
  readonly rowCount: number;
  readonly columnCount: number;
  readonly isLowerHalf: boolean;
}

/** Adds the products of all rows of the left side with some of the right side. */
function addBlock(out: Float64Array, memory: Float64Array, panel: Panel, from: number): void {
  const { width, right, rowCount, columnCount, isLowerHalf } = panel;
  const { tile } = dotKernel();
  const stride = width * 8;
  const steps = width / TILE_STEP;
  const end = Math.min(from + BLOCK, columnCount);
  for (let i = 0; i < rowCount; i += TILE_ROWS) {
    const until = isLowerHalf ? Math.min(end, i + TILE_ROWS) : end;
    const left = PANEL_START + i * stride;
    const rows = Math.min(TILE_ROWS, rowCount - i);
    for (let j = from; j < until; j += TILE_COLUMNS) {
      tile(left, PANEL_START + (right + j) * stride, steps, stride);
      const hasSecond = j + 1 < columnCount;
      for (let r = 0; r < rows; r += 1) {
        const at = (i + r) * columnCount + j;
        out[at]! += memory[r * TILE_COLUMNS]!;
        if (hasSecond) out[at + 1]! += memory[r * TILE_COLUMNS + 1]!;
      }
    }
  }
}

/**
 * The radial basis kernel from inner products: `exp(-gamma |x - y|^2)`.
 *
 * @param products - `[M, N]`, of rows x and y.
 * @param squares - squared lengths of the rows x, `[M]`, and y, `[N]`.
 * @param gamma - above 0.
 * @throws {ConfigError} for another gamma, or sizes that disagree.
 */
export function rbfKernel(
  products: Float64Array,
  squares: readonly [Float64Array, Float64Array],
  gamma: number,
): Float64Array {
  const [left, right] = squares;
  if (!(gamma > 0) || products.length !== left.length * right.length) {
    throw new ConfigError(
      `metrics/rbfKernel: gamma ${gamma}, ${products.length} products of ${left.length} and ` +
        `${right.length} rows.`,
      { help: 'gamma is above 0, and there is a product for each pair of rows.' },
    );
  }
  const out = new Float64Array(products.length);
  for (let i = 0; i < left.length; i += 1) {
    for (let j = 0; j < right.length; j += 1) {
      const at = i * right.length + j;
      out[at] = Math.exp(-gamma * Math.max(0, left[i]! + right[j]! - 2 * products[at]!));
    }
  }
  return out;
}

/** The diagonal of a Gram matrix `[N, N]`: the squared lengths of its rows. */
export function diagonal(gram: Float64Array): Float64Array {
  const n = Math.round(Math.sqrt(gram.length));
  return Float64Array.from({ length: n }, (_, i) => gram[i * (n + 1)]!);
}

/**
 * Part of a matrix `[N, columns]`: these rows and these columns, in their order.
 *
 * @returns `[rows, columns]`.
 */
export function subMatrix(
  matrix: Float64Array,
  columnCount: number,
  part: { readonly rows: ArrayLike<number>; readonly columns: ArrayLike<number> },
): Float64Array {
  const { rows, columns } = part;
  const out = new Float64Array(rows.length * columns.length);
  for (let i = 0; i < rows.length; i += 1) {
    const from = rows[i]! * columnCount;
    const to = i * columns.length;
    for (let j = 0; j < columns.length; j += 1) out[to + j] = matrix[from + columns[j]!]!;
  }
  return out;
}
