import { tf } from '../tfjs.js';
import {
  blockOf,
  type KernelCall,
  NUMBER_BYTES,
  registerOwnKernel,
  scaleValues,
  sizeOf,
} from './call.js';

/** Elements of a row, or rows, that one part reduces: short parts keep long sums accurate. */
const ROW_ELEMENTS = 32_768;
const MOST_ROWS = 512;
/** Columns of one part: 8 kB of running results. */
const MOST_COLUMNS = 2048;
/** Up to this width the C code takes several rows at a time, over all columns. */
const NARROW_WIDTH = 32;

/** A reduction of [outer, middle, inner] over the middle. */
interface Step {
  readonly outer: number;
  readonly middle: number;
  readonly inner: number;
}

/** Rows and columns of one part: a matter of the shape alone, so that the bits are too. */
function partOf({ middle, inner }: Step): { chunk: number; strip: number } {
  if (inner <= 1) return { chunk: ROW_ELEMENTS, strip: 1 };
  if (inner <= NARROW_WIDTH) return { chunk: Math.ceil(ROW_ELEMENTS / inner), strip: inner };
  return { chunk: Math.min(MOST_ROWS, Math.max(middle, 1)), strip: Math.min(inner, MOST_COLUMNS) };
}

/** Reduces parts on all threads, then the parts' results, until one is left of each. */
function runStep(call: KernelCall, kernel: string, step: Step, at: readonly [number, number]) {
  const { outer, middle, inner } = step;
  const { chunk, strip } = partOf(step);
  const chunks = Math.max(1, Math.ceil(middle / chunk));
  const run = (to: number): void => {
    const count = outer * chunks * Math.ceil(inner / strip);
    const block = blockOf(Math.min(chunk, middle) * strip);
    call.runBlocks({ kernel, count, block }, at[0], to, middle, inner, chunk, strip);
  };
  if (chunks === 1) {
    run(at[1]);
    return;
  }
  call.temporary(outer * chunks * inner * NUMBER_BYTES, (parts) => {
    run(parts);
    runStep(call, kernel, { outer, middle: chunks, inner }, [parts, at[1]]);
  });
}

interface Group {
  size: number;
  readonly isReduced: boolean;
}

/** Neighbouring axes of one kind taken together. */
function groupsOf(shape: readonly number[], axes: readonly number[]): Group[] {
  const groups: Group[] = [];
  shape.forEach((size, axis) => {
    const isReduced = axes.includes(axis);
    const last = groups.at(-1);
    if (last?.isReduced === isReduced) last.size *= size;
    else groups.push({ size, isReduced });
  });
  return groups;
}

/** One step per group of reduced axes, the largest first, so that the others have less to read. */
function stepsOf(shape: readonly number[], axes: readonly number[]): Step[] {
  const groups = groupsOf(shape, axes);
  const product = (part: readonly Group[]): number =>
    part.reduce((size, group) => size * group.size, 1);
  const reduced = groups.filter((group) => group.isReduced).sort((a, b) => b.size - a.size);
  if (reduced.length === 0) return [{ outer: 1, middle: 1, inner: sizeOf(shape) }];
  return reduced.map((group) => {
    const place = groups.indexOf(group);
    const middle = group.size;
    const outer = product(groups.slice(0, place));
    const step = { outer, middle, inner: product(groups.slice(place + 1)) };
    group.size = 1;
    return step;
  });
}

function runSteps(
  call: KernelCall,
  kernel: string,
  steps: readonly Step[],
  at: readonly [number, number],
): void {
  const [step, ...rest] = steps as [Step, ...Step[]];
  if (rest.length === 0) {
    runStep(call, kernel, step, at);
    return;
  }
  call.temporary(step.outer * step.inner * NUMBER_BYTES, (between) => {
    runStep(call, kernel, step, [at[0], between]);
    runSteps(call, kernel, rest, [between, at[1]]);
  });
}

interface Reduction {
  readonly name: string;
  readonly kernel: string;
  /** What the operation calls its axes. */
  readonly axis: string;
}

const REDUCTIONS: readonly Reduction[] = [
  { name: tf.Sum, kernel: 'sum_part', axis: 'axis' },
  { name: tf.Mean, kernel: 'sum_part', axis: 'axis' },
  { name: tf.Prod, kernel: 'prod_part', axis: 'axis' },
  { name: tf.Max, kernel: 'max_part', axis: 'reductionIndices' },
  { name: tf.Min, kernel: 'min_part', axis: 'axis' },
];

function reduce(call: KernelCall, reduction: Reduction): tf.TensorInfo {
  const x = call.input('x');
  const every = x.shape.map((_, axis) => axis);
  const given = call.attribute<number | number[] | undefined>(reduction.axis) ?? every;
  const axes = tf.util.parseAxisParam(given, x.shape);
  const kept = call.attribute<boolean>('keepDims');
  const shape = x.shape.flatMap((size, axis) => (axes.includes(axis) ? (kept ? [1] : []) : [size]));
  const output = call.output(shape);
  const [from = 0, to = 0] = [x, output].map(call.address);
  runSteps(call, reduction.kernel, stepsOf(x.shape, axes), [from, to]);
  if (reduction.name !== tf.Mean) return output;
  const count = sizeOf(axes.map((axis) => x.shape[axis] as number));
  scaleValues(call, sizeOf(shape), { from: to, factor: 1 / count, to });
  return output;
}

/**
 * Registers sum, mean, product, maximum and minimum of float tensors over any axes.
 *
 * NaN anywhere gives NaN; over nothing they are 0, NaN, 1, -Infinity and Infinity.
 */
export function installReduce(): void {
  const isFloat = ({ x }: tf.NamedTensorInfoMap): boolean => x?.dtype === 'float32';
  for (const reduction of REDUCTIONS) {
    const compute = (call: KernelCall): tf.TensorInfo => reduce(call, reduction);
    registerOwnKernel({ name: reduction.name, compute }, isFloat);
  }
}
