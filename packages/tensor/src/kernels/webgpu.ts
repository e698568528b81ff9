/**
 * What the stock operations of tfjs cannot say on webgpu, as compute shaders.
 */
import { tf } from '../tfjs.js';
import { assertBindable, type WebgpuBackend } from '../webgpu-guard.js';

/** A compute shader as tfjs-backend-webgpu takes it. */
interface Program {
  readonly variableNames: string[];
  readonly outputShape: number[];
  readonly shaderKey: string;
  readonly uniforms: string;
  readonly workgroupSize: [number, number, number];
  readonly dispatchLayout: { x: number[] };
  readonly dispatch: [number, number, number];
  /** The output is an array of atomic integers. */
  readonly atomic: true;
  getUserCode(): string;
}

interface ProgramBackend {
  runWebGPUProgram(
    program: Program,
    inputs: readonly tf.TensorInfo[],
    dtype: tf.DataType,
    uniforms: { type: 'int32'; data: number[] }[],
    output: tf.TensorInfo,
  ): tf.TensorInfo;
  makeTensorInfo(
    shape: number[],
    dtype: tf.DataType,
    values: Int32Array | Float32Array,
  ): tf.TensorInfo;
  disposeData(dataId: object): boolean;
}

interface KernelArguments {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly backend: unknown;
  readonly attrs?: tf.NamedAttrMap;
}

const WORKGROUP = 64;
const LOWEST = -(2 ** 31);

/** Integer that orders as the float does. */
const ORDER = `fn orderOf(value: f32) -> i32 {
  let bits = bitcast<i32>(value);
  return select(bits ^ 0x7fffffff, bits, bits >= 0);
}`;

/** Pass 1: the order of the largest value of each slot, a slot being a segment and a column. */
const LARGEST = 'atomicMax(&result[slot], orderOf(x[at]));';

/** Pass 2: the first row that has it. */
const FIRST = 'if (orderOf(x[at]) == orders[slot]) { atomicMin(&result[slot], row); }';

/** Runs `statement` for every value of `x`, a matrix of `width` columns. */
function segmentProgram(
  inputs: readonly tf.TensorInfo[],
  slots: number,
  statement: string,
): Program {
  const size = inputs[0]?.shape[0] as number;
  return {
    variableNames: ['x', 'ids', 'orders'].slice(0, inputs.length),
    outputShape: [slots],
    shaderKey: `lab_segment_${inputs.length}`,
    uniforms: 'width : i32, total : i32,',
    workgroupSize: [WORKGROUP, 1, 1],
    dispatchLayout: { x: [0] },
    dispatch: [Math.ceil(size / WORKGROUP), 1, 1],
    atomic: true,
    getUserCode: () => `${ORDER}
      fn main(at: i32) {
        if (at >= uniforms.total) { return; }
        let row = at / uniforms.width;
        let slot = ids[row] * uniforms.width + at % uniforms.width;
        ${statement}
      }`,
  };
}

function largestRows({ inputs, backend: given, attrs }: KernelArguments): tf.TensorInfo {
  const backend = given as ProgramBackend;
  const [x, ids] = [inputs['x'], inputs['ids']] as [tf.TensorInfo, tf.TensorInfo];
  const rows = ids.shape[0] as number;
  const total = x.shape[0] as number;
  const width = attrs?.['width'] as number;
  const slots = width * (attrs?.['count'] as number);
  const filled = (value: number) =>
    backend.makeTensorInfo([slots], 'int32', new Int32Array(slots).fill(value));
  const run = (sources: tf.TensorInfo[], output: tf.TensorInfo, statement: string) => {
    const program = segmentProgram(sources, slots, statement);
    const uniforms = [width, total].map((value) => ({ type: 'int32' as const, data: [value] }));
    return backend.runWebGPUProgram(program, sources, 'int32', uniforms, output);
  };
  const places = filled(rows);
  if (total === 0 || slots === 0) return places;
  const orders = run([x, ids], filled(LOWEST), LARGEST);
  const found = run([x, ids, orders], places, FIRST);
  backend.disposeData(orders.dataId);
  return found;
}

/** Has `answer` tried before a stock kernel, which runs when it has none. */
function extendKernel(
  kernelName: string,
  answer: (call: KernelArguments) => tf.TensorInfo | undefined,
): void {
  const stock = tf.getKernel(kernelName, 'webgpu');
  tf.unregisterKernel(kernelName, 'webgpu');
  tf.registerKernel({
    ...stock,
    kernelFunc: (call) => answer(call as unknown as KernelArguments) ?? stock.kernelFunc(call),
  });
}

const isEmpty = (x: tf.TensorInfo): boolean => x.shape.includes(0);

function zeros(backend: unknown, shape: number[], dtype: tf.DataType): tf.TensorInfo {
  const size = tf.util.sizeFromShape(shape);
  return (backend as ProgramBackend).makeTensorInfo(shape, dtype, new Float32Array(size));
}

/** A sum over nothing, on which the stock kernel fails. */
function emptySum({ inputs, backend, attrs }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs['x'] as tf.TensorInfo;
  if (!isEmpty(x)) return undefined;
  const axes = tf.util.parseAxisParam(attrs?.['axis'] as number[], x.shape);
  const isKept = attrs?.['keepDims'] === true;
  const shape = x.shape.flatMap((size, axis) => {
    if (!axes.includes(axis)) return [size];
    return isKept ? [1] : [];
  });
  return zeros(backend, shape, x.dtype);
}

/** Segments of no rows. */
function emptySegmentSum({ inputs, backend, attrs }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs['x'] as tf.TensorInfo;
  const ids = inputs['segmentIds'] as tf.TensorInfo;
  if (!isEmpty(x)) return undefined;
  const inner = x.shape.slice(ids.shape.length);
  return zeros(backend, [attrs?.['numSegments'] as number, ...inner], x.dtype);
}

/** The stock kernel repeats small tensors on the host before anyone looks at the size. */
function checkTile({ inputs, backend, attrs }: KernelArguments): undefined {
  const { shape } = inputs['x'] as tf.TensorInfo;
  const reps = attrs?.['reps'] as number[];
  assertBindable(
    backend as WebgpuBackend,
    shape.map((size, axis) => size * (reps[axis] as number)),
  );
}

/** Tensors that a shader may read: WebGPU promises eight buffers, and one takes the result. */
const MOST_TERMS = 7;

/** A sum of more tensors than a shader may read, in turns; the stock kernel binds all of them. */
function longSum({ inputs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const terms = Object.values(inputs) as tf.TensorInfo[];
  if (terms.length <= MOST_TERMS) return undefined;
  const { kernelFunc } = tf.getKernel(tf.AddN, 'webgpu');
  const add = (group: tf.TensorInfo[]) =>
    kernelFunc({
      inputs: group as unknown as tf.NamedTensorInfoMap,
      backend: backend as object,
    }) as tf.TensorInfo;
  let sum = add(terms.slice(0, MOST_TERMS));
  for (let at = MOST_TERMS; at < terms.length; at += MOST_TERMS - 1) {
    const partial = sum;
    sum = add([partial, ...terms.slice(at, at + MOST_TERMS - 1)]);
    (backend as ProgramBackend).disposeData(partial.dataId);
  }
  return sum;
}

let isInstalled = false;

/** Registers our shaders for the webgpu backend, and mends stock kernels, once. */
export function installWebgpuKernels(): void {
  if (isInstalled) return;
  isInstalled = true;
  tf.registerKernel({
    kernelName: 'LabLargestRows',
    backendName: 'webgpu',
    kernelFunc: largestRows as unknown as tf.KernelFunc,
  });
  extendKernel(tf.Sum, emptySum);
  extendKernel(tf.UnsortedSegmentSum, emptySegmentSum);
  extendKernel(tf.Tile, checkTile);
  extendKernel(tf.AddN, longSum);
}
