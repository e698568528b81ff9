/**
 * An operation with its float64 twin, and the check of both its values and its gradients.
 */
import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { expect } from 'vitest';
import {
  createCsr,
  type CsrArrays,
  type CsrTensors,
  type HalfMatrix,
  tf,
} from '../../src/index.js';

/** A float32 input: its shape, and where its values lie. */
export interface OpInput {
  readonly shape: readonly number[];
  /** Normal; normal made positive; or rows of length 1. */
  readonly fill: 'normal' | 'positive' | 'unit';
}

/** What an operation is given besides differentiable inputs. */
export interface Constants {
  readonly csr: CsrTensors;
  readonly half?: HalfMatrix | undefined;
}

/** One operation at one size, without its twin. */
export type Computation = Omit<OpCase, 'reference' | 'isLarge'>;

/** One operation at one size. */
export interface OpCase {
  readonly name: string;
  readonly inputs: readonly OpInput[];
  /** The operation on the backend in use. */
  readonly compute: (inputs: tf.Tensor[], constants: Constants) => tf.Tensor;
  /** Its twin on float64 arrays. */
  readonly reference: (...inputs: Float64Array[]) => ArrayLike<number>;
  /** Pattern of the sparse matrix that `compute` is given. */
  readonly graph?: CsrArrays;
  /** Makes the matrix of 16-bit numbers that `compute` is given. */
  readonly half?: () => HalfMatrix;
  /** Whether the operation has no gradient. */
  readonly isFlat?: boolean;
  /** Whether it is too large for the backend cpu. */
  readonly isLarge?: boolean;
}

/** A normal input. */
export const normal = (...shape: number[]): OpInput => ({ shape, fill: 'normal' });

/** An input of positive numbers, away from zero. */
export const positive = (...shape: number[]): OpInput => ({ shape, fill: 'positive' });

/** A matrix of rows of length 1. */
export const unit = (...shape: number[]): OpInput => ({ shape, fill: 'unit' });

/**
 * Errors allowed, relative to the largest value: float32 has 6e-8; sums of hundreds of terms, the
 * exponentials of GPUs and gradients of several steps stay within a few hundred times that.
 */
const RTOL = { value: 2e-5, gradient: 2e-4 };
/** Largest input whose gradient is compared element by element. */
const SMALL = 64;

/** Of central differences; with many values, steps across a kink must be rare. */
const stepOf = (size: number): number => (size > SMALL ? 1e-7 : 1e-5);
const DIRECTIONS = 2;

/** No value is closer to zero, where some functions have no derivative. */
const KINK = 1e-4;

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The values of an input, the same in every run. */
export function valuesOf({ shape, fill }: OpInput, name: string): Float32Array {
  const values = createRandom(7)
    .fork(name)
    .fillNormal(new Float32Array(sizeOf(shape)));
  if (fill === 'positive') return values.map((value) => 0.3 + Math.abs(value));
  if (fill === 'normal') return values.map((v) => (Math.abs(v) < KINK ? v + 2 * KINK : v));
  const width = shape.at(-1) ?? 1;
  for (let start = 0; start < values.length; start += width) {
    const row = values.subarray(start, start + width);
    const length = Math.hypot(...row);
    row.forEach((value, d) => {
      row[d] = value / length;
    });
  }
  return values;
}

/** Weight of output element i: makes one number of a tensor, no two elements alike. */
const weightOf = (i: number): number => Math.sin(1 + 1.7 * i);

function weighted(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += weightOf(i) * (values[i] as number);
  return sum;
}

const largestOf = (values: ArrayLike<number>): number => {
  let largest = 1e-3;
  for (let i = 0; i < values.length; i++)
    largest = Math.max(largest, Math.abs(values[i] as number));
  return largest;
};

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, rtol: number): void {
  expect(Array.from(found)).toBeClose(Array.from(wanted), { atol: rtol * largestOf(wanted) });
}

/** Derivative of the reference along `direction` in input `which`, by central differences. */
function along(
  { reference }: OpCase,
  arrays: readonly Float64Array[],
  which: number,
  direction: Float64Array,
): number {
  const step = stepOf(direction.length);
  const at = (sign: number) =>
    weighted(
      reference(
        ...arrays.map((array, i) =>
          i === which ? array.map((v, j) => v + sign * step * (direction[j] as number)) : array,
        ),
      ),
    );
  return (at(1) - at(-1)) / (2 * step);
}

/** Every axis of a small input, a few random directions of a large one. */
function directionsOf(name: string, size: number): Float64Array[] {
  if (size <= SMALL) {
    return Array.from({ length: size }, (_, place) => {
      const axis = new Float64Array(size);
      axis[place] = 1;
      return axis;
    });
  }
  return Array.from({ length: DIRECTIONS }, (_, k) =>
    Float64Array.from(createRandom(k).fork(name).fillNormal(new Float32Array(size))),
  );
}

/** What the reference gives: the values, and the derivatives of each input along its directions. */
interface Expectation {
  readonly values: ArrayLike<number>;
  readonly derivatives: readonly (readonly number[])[];
}

const expectations = new Map<OpCase, Expectation>();

/** Computed once, whatever the number of backends. */
function expectationOf(op: OpCase, arrays: readonly Float64Array[]): Expectation {
  const known = expectations.get(op);
  if (known !== undefined) return known;
  const slopes = (x: Float64Array, which: number) =>
    directionsOf(`${op.name}/${which}`, x.length).map((d) => along(op, arrays, which, d));
  const derivatives = op.isFlat === true ? [] : arrays.map(slopes);
  const expectation = { values: op.reference(...arrays), derivatives };
  expectations.set(op, expectation);
  return expectation;
}

function expectGradient(name: string, found: ArrayLike<number>, wanted: readonly number[]): void {
  const projected = directionsOf(name, found.length).map((direction) =>
    direction.reduce((sum, v, i) => sum + v * (found[i] as number), 0),
  );
  const scale = found.length <= SMALL ? largestOf(wanted) : largestOf(found);
  const terms = found.length <= SMALL ? 1 : Math.sqrt(found.length);
  expect(projected).toBeClose([...wanted], { atol: RTOL.gradient * scale * terms });
}

function gradientsOf(op: Computation, inputs: tf.Tensor[], constants: Constants): tf.Tensor[] {
  const scalar = (...xs: tf.Tensor[]) => {
    const y = op.compute(xs, constants);
    const weights = Float32Array.from({ length: y.size }, (_, i) => weightOf(i));
    return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)));
  };
  return tf.tidy(() => tf.grads(scalar)(inputs));
}

const NO_GRAPH: CsrArrays = {
  ...{ rowCount: 0, columnCount: 0 },
  ...{ rowPointers: Int32Array.of(0), columns: Int32Array.of() },
};

function inputsOf(op: Computation): { values: Float32Array[]; inputs: tf.Tensor[] } {
  const values = op.inputs.map((input, i) => valuesOf(input, `${op.name}/${i}`));
  const inputs = values.map((v, i) => tf.tensor(v, [...(op.inputs[i] as OpInput).shape]));
  return { values, inputs };
}

const constantsOf = (op: Computation): Constants => ({
  ...{ csr: createCsr(op.graph ?? NO_GRAPH), half: op.half?.() },
});

/** The values of an operation and all its gradients, for the caller to free. */
export function outputsOf(op: Computation): tf.Tensor[] {
  const [{ inputs }, constants] = [inputsOf(op), constantsOf(op)];
  const output = tf.tidy(() => op.compute(inputs, constants));
  const gradients = op.isFlat === true ? [] : gradientsOf(op, inputs, constants);
  tf.dispose(inputs);
  constants.csr.dispose();
  constants.half?.dispose();
  return [output, ...gradients];
}

/** Compares the values and all gradients of an operation with its twin; leaves no tensor behind. */
export async function checkOp(op: OpCase): Promise<void> {
  const before = tf.memory().numTensors;
  const { values, inputs } = inputsOf(op);
  const arrays = values.map((v) => Float64Array.from(v));
  const constants = constantsOf(op);
  const output = tf.tidy(() => op.compute(inputs, constants));
  const { values: wanted, derivatives } = expectationOf(op, arrays);
  expectClose(await output.data(), wanted, RTOL.value);
  output.dispose();
  const gradients = op.isFlat === true ? [] : gradientsOf(op, inputs, constants);
  for (const [which, gradient] of gradients.entries()) {
    expectGradient(`${op.name}/${which}`, await gradient.data(), derivatives[which] ?? []);
    gradient.dispose();
  }
  tf.dispose(inputs);
  constants.csr.dispose();
  constants.half?.dispose();
  expect(tf.memory().numTensors).toBe(before);
}
