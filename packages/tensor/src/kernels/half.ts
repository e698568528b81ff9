import { runSingle } from '../engine.js';
import { registerRule } from '../gradients/rule.js';
import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';
import { FEW_ROWS, runFewRows } from './few-rows.js';
import { checkIndexTensor } from './index-check.js';

/** What the kernels must know of a matrix of 16-bit weights besides its packed values. */
export interface HalfAttributes {
  readonly rows: number;
  readonly columns: number;
  /** One of {@link WEIGHT_KINDS}, of 16 bits. */
  readonly kind: number;
}

/** Rows, or columns, of weights that one block of a larger product makes floats of. */
const STRIP = 128;

const attributesOf = (call: KernelCall): HalfAttributes => ({
  rows: call.attribute('rows'),
  columns: call.attribute('columns'),
  kind: call.attribute('kind'),
});

/** Runs a product in strips, with scratch for each thread. */
function runStrips(call: KernelCall, kernel: string, across: number, values: number[]): void {
  const bytesPerThread = call.run('half_scratch_bytes');
  call.temporary(bytesPerThread * call.kernels.threads, (address) => {
    const scratch = { address, bytesPerThread };
    call.runBlocks({ kernel, count: Math.ceil(across / STRIP), block: 1, scratch }, ...values);
  });
}

function product(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const bias = call.input('bias') as tf.TensorInfo | undefined;
  const { rows, columns, kind } = attributesOf(call);
  const m = x.shape[0] as number;
  const output = call.output([m, rows]);
  const [from = 0, weight = 0, to = 0] = [x, call.input('weight'), output].map(call.address);
  const added = bias === undefined ? 0 : call.address(bias);
  if (m <= FEW_ROWS) {
    const sizes = { m, n: rows, k: columns, kind };
    runFewRows(call, sizes, { x: from, weight, to, bias: added });
  } else {
    runStrips(call, 'half_product', rows, [from, weight, to, m, rows, columns, kind, added]);
  }
  return output;
}

function productGradient(call: KernelCall): tf.TensorInfo {
  const dy = call.input('dy');
  const { rows, columns, kind } = attributesOf(call);
  const m = dy.shape[0] as number;
  const output = call.output([m, columns]);
  const addresses = [dy, call.input('weight'), output].map(call.address);
  runStrips(call, 'half_product_backward', columns, [...addresses, m, rows, columns, kind]);
  return output;
}

function rowsAsFloats(call: KernelCall): tf.TensorInfo {
  const indices = call.input('indices');
  const { rows, columns, kind } = attributesOf(call);
  checkIndexTensor(call, indices, { name: 'indices', low: 0, high: rows });
  const count = sizeOf(indices.shape);
  const output = call.output([count, columns]);
  const [from = 0, of = 0, to = 0] = [call.input('weight'), indices, output].map(call.address);
  const work = { kernel: 'half_rows', count, block: blockOf(2 * columns) };
  call.runBlocks(work, from, columns, kind, of, to);
  return output;
}

/** Registers the products with 16-bit weights, and the look-up of their rows. */
export function installHalf(): void {
  registerOwnKernel({ name: 'LabHalfMatMul', compute: product });
  registerOwnKernel({ name: 'LabHalfMatMulGradient', compute: productGradient });
  registerOwnKernel({ name: 'LabHalfRows', compute: rowsAsFloats });
  registerRule({
    kernelName: 'LabHalfMatMul',
    inputs: ['weight'],
    rule: ({ dy, saved: [weight], attribute }) => ({
      x: () => {
        const shape = { rows: attribute('rows'), columns: attribute('columns') };
        const inputs = { dy, weight: weight as tf.Tensor };
        return runSingle('LabHalfMatMulGradient', inputs, { ...shape, kind: attribute('kind') });
      },
      bias: () => tf.sum(dy, 0),
    }),
  });
}
