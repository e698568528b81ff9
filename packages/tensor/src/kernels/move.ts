import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, NUMBER_BYTES, registerOwnKernel, sizeOf } from './call.js';

/** Floats of a long row that are one piece of work: 64 kB. */
const PIECE = 16_384;

interface Repetition {
  readonly outer: number;
  readonly repeats: number;
  readonly block: number;
}

/** The repetitions of a tile, innermost axis first; each makes the next one's block longer. */
function repetitionsOf(shape: readonly number[], reps: readonly number[]): Repetition[] {
  const steps: Repetition[] = [];
  let block = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const repeats = reps[axis] as number;
    block *= shape[axis] as number;
    if (repeats !== 1) steps.push({ outer: sizeOf(shape.slice(0, axis)), repeats, block });
    block *= repeats;
  }
  return steps;
}

function repeatBlocks(call: KernelCall, { outer, repeats, block }: Repetition, at: number[]): void {
  const piece = Math.max(1, Math.min(repeats, Math.floor(PIECE / block)));
  const count = outer * Math.ceil(repeats / piece);
  const work = { kernel: 'repeat_blocks', count, block: blockOf(piece * block) };
  call.runBlocks(work, ...at, repeats, block, piece);
}

function repeatInto(call: KernelCall, steps: Repetition[], from: number, to: number): void {
  const [first, ...rest] = steps;
  if (first === undefined) return;
  if (rest.length === 0) {
    repeatBlocks(call, first, [from, to]);
    return;
  }
  call.temporary(first.outer * first.repeats * first.block * NUMBER_BYTES, (between) => {
    repeatBlocks(call, first, [from, between]);
    repeatInto(call, rest, between, to);
  });
}

interface Rows {
  readonly rows: number;
  readonly width: number;
  /** Address of the first row, and floats from one row to the next. */
  readonly from: readonly [address: number, step: number];
  readonly to: readonly [address: number, step: number];
}

function copyRows(call: KernelCall, { rows, width, from, to }: Rows): void {
  const piece = Math.max(1, Math.min(width, PIECE));
  const count = rows * Math.ceil(width / piece);
  const work = { kernel: 'copy_rows', count, block: blockOf(2 * piece + 4) };
  call.runBlocks(work, ...from, ...to, width, piece);
}

function tile(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const reps = call.attribute<number[]>('reps');
  const output = call.output(x.shape.map((size, axis) => size * (reps[axis] as number)));
  const steps = repetitionsOf(x.shape, reps);
  const copy = [{ outer: 1, repeats: 1, block: sizeOf(x.shape) }];
  if (sizeOf(output.shape) === 0) return output;
  repeatInto(call, steps.length > 0 ? steps : copy, call.address(x), call.address(output));
  return output;
}

/** A box of a tensor that is cut along at most one axis. */
interface Cut {
  readonly outer: number;
  /** Sizes of the axis: of the whole, of the box; elements after the axis. */
  readonly whole: number;
  readonly part: number;
  readonly inner: number;
  readonly begin: number;
}

/** The cut that a box makes, or undefined when it cuts along several axes. */
function cutOf(whole: readonly number[], begin: readonly number[], size: readonly number[]) {
  const axes = whole.flatMap((length, axis) => (length === size[axis] ? [] : [axis]));
  if (axes.length > 1) return undefined;
  const axis = axes[0] ?? 0;
  const cut: Cut = {
    outer: sizeOf(whole.slice(0, axis)),
    whole: whole[axis] ?? 1,
    part: size[axis] ?? 1,
    inner: sizeOf(whole.slice(axis + 1)),
    begin: begin[axis] ?? 0,
  };
  return cut;
}

function sliceCut(x: tf.TensorInfo, attrs: tf.NamedAttrMap | undefined) {
  const [begin, size] = tf.slice_util.parseSliceParams(
    x as tf.Tensor,
    attrs?.['begin'] as number[],
    attrs?.['size'] as number[],
  );
  const [first = [], sizes = []] = [begin, size] as number[][];
  return { sizes, cut: cutOf(x.shape, first, sizes) };
}

function slice(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const attrs = {
    begin: call.attribute<number[]>('begin'),
    size: call.attribute<number[]>('size'),
  };
  const { sizes, cut } = sliceCut(x, attrs);
  const output = call.output(sizes);
  const { outer, whole, part, inner, begin } = cut as Cut;
  const from = call.address(x) + begin * inner * NUMBER_BYTES;
  const to = call.address(output);
  const width = part * inner;
  copyRows(call, { rows: outer, width, from: [from, whole * inner], to: [to, width] });
  return output;
}

function padCut(x: tf.TensorInfo, paddings: readonly [number, number][]) {
  const shape = x.shape.map((size, i) => size + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0));
  return {
    shape,
    cut: cutOf(
      shape,
      paddings.map(([before]) => before),
      x.shape,
    ),
  };
}

function pad(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const { shape, cut } = padCut(x, call.attribute<[number, number][]>('paddings'));
  const output = call.output(shape);
  const { outer, whole, part, inner, begin } = cut as Cut;
  const piece = Math.max(1, Math.min(whole * inner, PIECE));
  const count = outer * Math.ceil((whole * inner) / piece);
  const work = { kernel: 'pad_rows', count, block: blockOf(2 * piece + 4) };
  const sizes = [part, begin, whole - begin - part].map((size) => size * inner);
  call.runBlocks(work, call.address(x), call.address(output), ...sizes, piece);
  return output;
}

function concat(call: KernelCall): tf.TensorInfo {
  const tensors = call.inputs();
  const first = tensors[0] as tf.TensorInfo;
  const axis = tf.util.parseAxisParam(call.attribute<number>('axis'), first.shape)[0] as number;
  const lengths = tensors.map((x) => x.shape[axis] as number);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const output = call.output(first.shape.map((size, i) => (i === axis ? total : size)));
  const outer = sizeOf(first.shape.slice(0, axis));
  const inner = sizeOf(first.shape.slice(axis + 1));
  let to = call.address(output);
  tensors.forEach((x, i) => {
    const width = (lengths[i] as number) * inner;
    const from = [call.address(x), width] as const;
    copyRows(call, { rows: outer, width, from, to: [to, total * inner] });
    to += width * NUMBER_BYTES;
  });
  return output;
}

/** The same values under another tensor; the stock kernel copies them, at every saved tensor. */
function identity(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  return call.kernels.memory.alias(x, x.shape);
}

/** The same values under another shape, without TensorFlow's operation for it. */
function reshape(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const wanted = call.attribute<number[]>('shape');
  const shape = tf.util.inferFromImplicitShape(wanted, sizeOf(x.shape));
  return call.kernels.memory.alias(x, shape);
}

/** Registers the change of shapes, on tensorflow: tfjs-backend-wasm has the same. */
export function installReshape(): void {
  registerOwnKernel({ name: tf.Reshape, compute: reshape }, ({ x }, attrs) => {
    const shape = attrs?.['shape'] as number[];
    const isNumber = x?.dtype === 'float32' || x?.dtype === 'int32';
    const size = sizeOf((x as tf.TensorInfo).shape);
    return isNumber && sizeOf(tf.util.inferFromImplicitShape(shape, size)) === size;
  });
}

/** Registers tile, slice, pad and concat of float tensors; boxes cut twice stay with tfjs. */
export function installMove(): void {
  const isFloat = (x: tf.TensorInfo | undefined): boolean => x?.dtype === 'float32';
  registerOwnKernel({ name: tf.Identity, compute: identity });
  registerOwnKernel({ name: tf.Tile, compute: tile }, ({ x }) => isFloat(x));
  registerOwnKernel(
    { name: tf.Slice, compute: slice },
    ({ x }, attrs) => isFloat(x) && sliceCut(x as tf.TensorInfo, attrs).cut !== undefined,
  );
  registerOwnKernel(
    { name: tf.PadV2, compute: pad },
    ({ x }, attrs) =>
      isFloat(x) &&
      attrs?.['constantValue'] === 0 &&
      padCut(x as tf.TensorInfo, attrs['paddings'] as [number, number][]).cut !== undefined,
  );
  registerOwnKernel({ name: tf.Concat, compute: concat }, (inputs) =>
    Object.values(inputs).every(isFloat),
  );
}
