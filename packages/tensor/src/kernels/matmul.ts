import { ShapeError } from '@lab/core';
import type { ProductForm } from '../kernel-module.js';
import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, NUMBER_BYTES, registerOwnKernel, sizeOf } from './call.js';
import { FEW_ROWS, runFewRows, WEIGHT_KINDS } from './few-rows.js';

/** Sizes of a product, of a batch of them where `outer` has any. */
export interface ProductSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly outer: readonly number[];
  readonly batchA: number;
  readonly batchB: number;
}

const last = (shape: readonly number[], back: number): number =>
  shape[shape.length - back] as number;

function productSizes(
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): ProductSizes {
  const k = last(a.shape, transposeA ? 2 : 1);
  const inner = last(b.shape, transposeB ? 1 : 2);
  if (k !== inner) {
    throw new ShapeError(
      `tensor: a product of [${a.shape}] and [${b.shape}] has inner sizes ${k} and ${inner}.`,
      { expected: String(k), got: String(inner) },
    );
  }
  const outerA = a.shape.slice(0, -2);
  const outerB = b.shape.slice(0, -2);
  return {
    m: last(a.shape, transposeA ? 1 : 2),
    n: last(b.shape, transposeB ? 2 : 1),
    k,
    outer: tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB),
    batchA: sizeOf(outerA),
    batchB: sizeOf(outerB),
  };
}

/** The batch of a single product. */
const oneProduct = { outer: [], batchA: 1, batchB: 1 } as const;

/** What a product reads and where it writes. */
interface Operands {
  readonly a: number;
  readonly b: number;
  readonly to: number;
  readonly transposeA: number;
  readonly transposeB: number;
}

function product(call: KernelCall): tf.TensorInfo {
  const a = call.input('a');
  const b = call.input('b');
  const isA = call.attribute<boolean>('transposeA');
  const isB = call.attribute<boolean>('transposeB');
  const sizes = productSizes(a, b, isA, isB);
  const output = call.output([...sizes.outer, sizes.m, sizes.n]);
  const operands = {
    a: call.address(a),
    b: call.address(b),
    to: call.address(output),
    transposeA: Number(isA),
    transposeB: Number(isB),
  };
  runProduct(call, sizes, operands);
  return output;
}

/**
 * The product of two matrices, whatever the shapes of their tensors: ours, or the backend's own
 * where ours does not run.
 */
export function matrixProduct(
  call: KernelCall,
  form: ProductForm,
  { a, b }: { a: tf.TensorInfo; b: tf.TensorInfo },
): tf.TensorInfo {
  const { kernels } = call;
  if (kernels.product !== undefined) return kernels.product(a, b, form);
  const output = call.output(form.shape);
  const [from = 0, by = 0, to = 0] = [a, b, output].map(call.address);
  const [transposeA, transposeB] = [Number(form.transposeA), Number(form.transposeB)];
  runProduct(call, { ...form, ...oneProduct }, { a: from, b: by, to, transposeA, transposeB });
  return output;
}

/** Writes a product, or a batch of them, on all threads. */
function runProduct(call: KernelCall, sizes: ProductSizes, operands: Operands): void {
  if (areFewRows(sizes, operands)) {
    const { a: x, b: weight, to } = operands;
    runFewRows(call, { ...sizes, kind: WEIGHT_KINDS.float32 }, { x, weight, to, bias: 0 });
  } else if (isLongSum(sizes)) sumOfStretches(call, sizes, operands);
  else productOfBlocks(call, sizes, operands);
}

/** Whether b is multiplied best as it lies. */
const areFewRows = ({ m, outer }: ProductSizes, { transposeA, transposeB }: Operands): boolean =>
  m <= FEW_ROWS && transposeA === 0 && transposeB === 1 && sizeOf(outer) === 1;

function productOfBlocks(call: KernelCall, sizes: ProductSizes, operands: Operands): void {
  const { m, n, k, batchA, batchB } = sizes;
  const { a, b, to, transposeA, transposeB } = operands;
  const strides = { a: batchA === 1 ? 0 : m * k, b: batchB === 1 ? 0 : k * n };
  const { down, across, blockRows, blockColumns } = cutProduct(m, n, k);
  const perBlock = Math.floor(FEWEST_STEPS / Math.max(blockRows * blockColumns * k, 1));
  const count = m === 0 || n === 0 ? 0 : sizeOf(sizes.outer) * down * across;
  call.runBlocks(
    { kernel: 'gemm', count, block: Math.max(1, perBlock) },
    ...[m, n, k, a, transposeA, strides.a, b, transposeB, strides.b],
    ...[to, blockRows, blockColumns],
  );
}

/** A stretch of the inner dimension at least, and the values of a result that is made of them. */
const STRETCH = 1024;
const LARGEST_SUM = 2 ** 18;

/** Whether the result is small and the inner dimension long, as in the gradient of a weight. */
function isLongSum({ m, n, k, outer }: ProductSizes): boolean {
  return sizeOf(outer) === 1 && k >= 4 * STRETCH && m * n > 0 && m * n <= LARGEST_SUM;
}

function sumOfStretches(call: KernelCall, { m, n, k }: ProductSizes, operands: Operands): void {
  const { a, b, to, transposeA, transposeB } = operands;
  const chunk = Math.max(STRETCH, Math.ceil(k / MOST_PARTS / 4) * 4);
  const parts = Math.ceil(k / chunk);
  call.temporary(parts * m * n * NUMBER_BYTES, (address) => {
    const work = { kernel: 'gemm_stretches', count: parts, block: 1 };
    call.runBlocks(work, m, n, k, a, transposeA, b, transposeB, address, chunk);
    call.run('sum_parts', parts, m * n, address, to);
  });
}

/** Multiplications worth a block of their own, and blocks worth cutting a product into. */
const FEWEST_STEPS = 2 ** 20;
const MOST_PARTS = 16;

/** How a product is cut: parts of at most 512 x 1024, more while that leaves enough for each. */
function cutProduct(m: number, n: number, k: number) {
  let down = Math.ceil(m / 512);
  let across = Math.ceil(n / 1024);
  const sizes = () => ({
    blockRows: Math.ceil(m / down / 6) * 6, // whole register tiles of 6 x 8
    blockColumns: Math.ceil(n / across / 8) * 8,
  });
  while (down * across < MOST_PARTS) {
    const { blockRows, blockColumns } = sizes();
    if (blockRows * blockColumns * k < 2 * FEWEST_STEPS) break;
    if (Math.max(blockRows, blockColumns) < 128) break;
    if (blockRows >= blockColumns) down *= 2;
    else across *= 2;
  }
  const { blockRows, blockColumns } = sizes();
  // Rounding to tiles may have left the last parts without a row or column.
  down = Math.ceil(m / blockRows);
  across = Math.ceil(n / blockColumns);
  return { down, across, blockRows, blockColumns };
}

/** Stock kernels of the activations that a fused product may end in. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: tf.Relu,
  relu6: tf.Relu6,
  elu: tf.Elu,
  sigmoid: tf.Sigmoid,
  leakyrelu: tf.LeakyRelu,
  prelu: tf.Prelu,
};

function activate(call: KernelCall, x: tf.TensorInfo, activation: string): tf.TensorInfo {
  const backend = tf.backend() as object;
  const kernel = tf.getKernel(ACTIVATIONS[activation] ?? activation, 'wasm');
  const inputs =
    activation === 'prelu' ? { x, alpha: call.input('preluActivationWeights') } : { x };
  const attrs = { alpha: call.attribute<number>('leakyreluAlpha') };
  const result = kernel.kernelFunc({ inputs, backend, attrs });
  call.kernels.memory.dispose(x);
  return result as tf.TensorInfo;
}

/** Product, then bias, then activation; the stock kernel adds the bias several times. */
function fusedProduct(call: KernelCall): tf.TensorInfo {
  const output = product(call);
  const bias = call.input('bias') as tf.TensorInfo | undefined;
  if (bias !== undefined) {
    const width = sizeOf(bias.shape);
    const rows = sizeOf(output.shape) / Math.max(width, 1);
    const work = { kernel: 'add_values_rows', count: rows, block: blockOf(2 * width) };
    const to = call.address(output);
    call.runBlocks(work, width, to, width, 0, call.address(bias), 0, 0, to);
  }
  const activation = call.attribute<string>('activation');
  return activation === 'linear' ? output : activate(call, output, activation);
}

/** Registers the product for `tf.matMul` and `tf.fused.matMul`, every transpose and batch. */
export function installMatMul(): void {
  registerOwnKernel(
    { name: tf.BatchMatMul, compute: product },
    ({ a, b }) => a?.dtype === 'float32' && b?.dtype === 'float32',
  );
  registerOwnKernel({ name: tf._FusedMatMul, compute: fusedProduct });
}
