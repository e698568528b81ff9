import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';

/** Our C function for each stock operation on two tensors; `_rows` is added where they repeat. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  [tf.Add]: 'add_values',
  [tf.Sub]: 'subtract_values',
  [tf.Multiply]: 'multiply_values',
  [tf.RealDiv]: 'divide_values',
};

/** How an operand runs over the rows of the result. */
interface Operand {
  /** Floats from row to row: 0 where the row is repeated. */
  readonly step: number;
  /** One number for a whole row. */
  readonly isOne: boolean;
}

/** Rows that two shapes make together: equal, or one is a number, a row or a column. */
interface RowForm {
  /** Shape of the result. */
  readonly shape: readonly number[];
  readonly rows: number;
  readonly width: number;
  readonly a: Operand;
  readonly b: Operand;
}

/** Sizes without leading ones. */
function trimmed(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((size) => size !== 1);
  return first === -1 ? [] : shape.slice(first);
}

/** How `part` runs over the rows of a result of shape `whole`, or undefined when in another way. */
function operandOf(part: readonly number[], whole: readonly number[]): Operand | undefined {
  const width = whole.at(-1) ?? 1;
  const rows = sizeOf(whole.slice(0, -1));
  const shape = trimmed(part);
  if (shape.length === 0) return { step: 0, isOne: true };
  if (tf.util.arraysEqual(shape as number[], trimmed(whole) as number[])) {
    return { step: width, isOne: false };
  }
  if (shape.length === 1 && shape[0] === width) return { step: 0, isOne: false };
  // A column: all axes but the last as in the result, the last one 1.
  const isColumn = part.at(-1) === 1 && part.length === whole.length && sizeOf(part) === rows;
  return isColumn ? { step: 1, isOne: true } : undefined;
}

function rowFormOf(a: tf.TensorInfo, b: tf.TensorInfo): RowForm | undefined {
  if (tf.util.arraysEqual(a.shape, b.shape)) {
    const width = sizeOf(a.shape);
    const whole = { step: width, isOne: false };
    return { shape: a.shape, rows: 1, width, a: whole, b: whole };
  }
  const whole = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const [first, second] = [operandOf(a.shape, whole), operandOf(b.shape, whole)];
  if (first === undefined || second === undefined || (first.isOne && second.isOne))
    return undefined;
  const rows = sizeOf(whole.slice(0, -1));
  return { shape: whole, rows, width: whole.at(-1) ?? 1, a: first, b: second };
}

/** Whether the operand is a whole array or one number, so that rows do not matter. */
const isFlat = ({ step, isOne }: Operand): boolean => isOne === (step === 0);

function compute(call: KernelCall, functionName: string): tf.TensorInfo {
  const [x, y] = [call.input('a'), call.input('b')];
  const { shape, rows, width, a, b } = rowFormOf(x, y) as RowForm;
  const output = call.output(shape);
  const [from = 0, other = 0, to = 0] = [x, y, output].map(call.address);
  if (isFlat(a) && isFlat(b)) {
    const work = { kernel: functionName, count: rows * width, block: blockOf(3) };
    call.runBlocks(work, from, Number(a.isOne), other, Number(b.isOne), to);
    return output;
  }
  const work = { kernel: `${functionName}_rows`, count: rows, block: blockOf(3 * width) };
  const sides = [from, a.step, Number(a.isOne), other, b.step, Number(b.isOne)];
  call.runBlocks(work, width, ...sides, to);
  return output;
}

/** Registers the four operations on floats; other forms of broadcasting stay with tfjs. */
export function installArithmetic(): void {
  const isOurs = ({ a, b }: tf.NamedTensorInfoMap): boolean =>
    a?.dtype === 'float32' && b?.dtype === 'float32' && rowFormOf(a, b) !== undefined;
  for (const [name, functionName] of Object.entries(FUNCTIONS)) {
    registerOwnKernel({ name, compute: (call) => compute(call, functionName) }, isOurs);
  }
}
