/** Tolerances of {@link toBeClose}: `|got - expected| <= atol + rtol * |expected|` must hold. */
export interface CloseOptions {
  /** Absolute tolerance; default 0. */
  readonly atol?: number;
  /** Relative tolerance; default 0. */
  readonly rtol?: number;
}

/** The verdict of a matcher, as vitest wants it. */
export interface MatchResult {
  readonly pass: boolean;
  message(): string;
}

interface Numbers {
  readonly values: ArrayLike<number>;
  readonly shape: number[];
}

/**
 * Whether every number is close to the expected one; the message names the largest error, its
 * index, both values there and how many are out of tolerance. Numbers, arrays, nested arrays and
 * typed arrays are compared; shapes must agree; NaN is close to NaN only.
 *
 * @param received - what the code gave.
 * @param expected - what it should give.
 */
export function toBeClose(
  received: unknown,
  expected: unknown,
  options: CloseOptions = {},
): MatchResult {
  const got = numbersOf(received);
  const want = numbersOf(expected);
  if (got.shape.join() !== want.shape.join()) {
    const shapes = `[${got.shape.join(', ')}], expected [${want.shape.join(', ')}]`;
    return { pass: false, message: () => `shape is ${shapes}` };
  }
  return compare(got, want, options);
}

function compare(got: Numbers, want: Numbers, { atol = 0, rtol = 0 }: CloseOptions): MatchResult {
  let worst = -1;
  let worstError = -1;
  let largest = 0;
  let failures = 0;
  for (let index = 0; index < want.values.length; index += 1) {
    const expected = want.values[index]!;
    const value = got.values[index]!;
    const error = errorOf(value, expected);
    largest = Math.max(largest, error);
    const isFailure = error > atol + rtol * Math.abs(expected) || Number.isNaN(error);
    if (!isFailure) continue;
    failures += 1;
    if (error > worstError) {
      worst = index;
      worstError = error;
    }
  }
  if (failures === 0) {
    return { pass: true, message: () => `all values are close; max error ${largest}` };
  }
  const count = `${failures} of ${want.values.length} values out of tolerance`;
  const values = `got ${got.values[worst]}, expected ${want.values[worst]}`;
  const where = `[${indexOf(worst, want.shape).join(', ')}]`;
  return {
    pass: false,
    message: () =>
      `max error ${worstError} at ${where}: ${values}; ${count} (atol ${atol}, rtol ${rtol})`,
  };
}

function errorOf(value: number, expected: number): number {
  if (Object.is(value, expected) || value === expected) return 0;
  const error = Math.abs(value - expected);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

function numbersOf(value: unknown): Numbers {
  if (typeof value === 'number') return { values: [value], shape: [] };
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const isBig = value instanceof BigInt64Array || value instanceof BigUint64Array;
    const values = isBig ? Array.from(value, Number) : (value as Float64Array);
    return { values, shape: [values.length] };
  }
  if (!Array.isArray(value)) throw new TypeError(`toBeClose compares numbers, not ${typeof value}`);
  const parts = value.map(numbersOf);
  const inner = parts[0]?.shape ?? [];
  if (parts.some((part) => part.shape.join() !== inner.join())) {
    throw new TypeError('toBeClose needs nested arrays of equal lengths');
  }
  return {
    values: parts.flatMap((part) => Array.from(part.values)),
    shape: [parts.length, ...inner],
  };
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

interface Extendable {
  extend(matchers: Record<string, unknown>): void;
}

/** vitest and jest keep their `expect` under this registered symbol. */
const globalExpect = (globalThis as Record<symbol, unknown>)[Symbol.for('expect-global')];
if (typeof globalExpect === 'function' && 'extend' in globalExpect) {
  (globalExpect as unknown as Extendable).extend({ toBeClose });
}

declare global {
  namespace jest {
    // the type parameters must be those of the merged declaration
    interface Matchers<R, T = {}> {
      /** Every number within `atol + rtol * |expected|`; prints the max error and its index. */
      toBeClose(expected: unknown, options?: CloseOptions): R;
    }
  }
}
