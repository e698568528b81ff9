/**
 * Float64 twins of operations on row-major arrays, by their definitions.
 */

/** A tensor's values and shape, in float64. */
export interface Plain {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** Values of `length` places by index. */
export const build = (length: number, value: (at: number) => number): Float64Array =>
  Float64Array.from({ length }, (_, at) => value(at));

const at = (values: ArrayLike<number>, place: number): number => values[place] as number;

/** Sum of `count` terms. */
export function total(count: number, term: (at: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
}

/** Batch of products `[B, m, k] x [B, k, n]`; a side may be stored transposed. */
export function product(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  sizes: {
    readonly batch?: number;
    readonly size: readonly [m: number, k: number, n: number];
    readonly transposeA?: boolean;
    readonly transposeB?: boolean;
  },
): Float64Array {
  const [m, k, n] = sizes.size;
  const left = (i: number, p: number) => (sizes.transposeA === true ? p * m + i : i * k + p);
  const right = (p: number, j: number) => (sizes.transposeB === true ? j * k + p : p * n + j);
  return build((sizes.batch ?? 1) * m * n, (place) => {
    const batch = Math.floor(place / (m * n));
    const i = Math.floor(place / n) % m;
    const [fromA, fromB] = [batch * m * k, batch * k * n];
    return total(k, (p) => at(a, fromA + left(i, p)) * at(b, fromB + right(p, place % n)));
  });
}

/** Rows of `width` values, each given to `map`, and the results one after the other. */
export function mapRows(
  x: Float64Array,
  width: number,
  map: (row: Float64Array, index: number) => ArrayLike<number>,
): Float64Array {
  const rows = Array.from({ length: x.length / width }, (_, i) =>
    Array.from(map(x.subarray(i * width, (i + 1) * width), i)),
  );
  return Float64Array.from(rows.flat());
}

/** Logarithm of the sum of exponentials, shifted by the largest. */
export function logSumExp(values: ArrayLike<number>): number {
  const all = Array.from(values);
  const top = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return top + Math.log(all.reduce((sum, value) => sum + Math.exp(value - top), 0));
}

/** Softmax of one row. */
export const softmaxRow = (row: Float64Array): Float64Array => {
  const log = logSumExp(row);
  return row.map((value) => Math.exp(value - log));
};

/** Softmax inside segments. */
export function segmentSoftmaxOf(
  scores: ArrayLike<number>,
  segments: ArrayLike<number>,
): Float64Array {
  const members = new Map<number, number[]>();
  for (let e = 0; e < scores.length; e++) {
    const list = members.get(at(segments, e)) ?? [];
    list.push(at(scores, e));
    members.set(at(segments, e), list);
  }
  const logs = new Map([...members].map(([segment, list]) => [segment, logSumExp(list)]));
  return build(scores.length, (e) =>
    Math.exp(at(scores, e) - (logs.get(at(segments, e)) as number)),
  );
}

/** Error function by its series, exact to float64 for |x| < 4. */
export function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
