import { runSingle } from '../engine.js';
import { derivativeKernel, registerRule } from '../gradients/rule.js';
import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';

/** Runs a C function over the rows, the last axis, of tensors of one shape. */
function overRows(call: KernelCall, kernel: string, names: readonly string[]): tf.TensorInfo {
  const inputs = names.map(call.input);
  const { shape } = inputs[0] as tf.TensorInfo;
  const width = shape.at(-1) ?? 1;
  const output = call.output(shape);
  const count = width === 0 ? 0 : sizeOf(shape) / width;
  // Besides its values a row costs exponentials, some four times the price of a value.
  const block = blockOf(4 * width);
  call.runBlocks({ kernel, count, block }, width, ...[...inputs, output].map(call.address));
  return output;
}

/** Registers softmax, in place of the stock kernel, log-softmax, and the gradients of both. */
export function installSoftmax(): void {
  registerOwnKernel(
    { name: tf.Softmax, compute: (call) => overRows(call, 'softmax_rows', ['logits']) },
    ({ logits }) => logits?.dtype === 'float32',
  );
  registerOwnKernel({
    name: derivativeKernel(tf.Softmax),
    compute: (call) => overRows(call, 'softmax_rows_backward', ['dy', 'kept']),
  });
  registerOwnKernel({
    name: 'LabLogSoftmax',
    compute: (call) => overRows(call, 'log_softmax_rows', ['x']),
  });
  registerOwnKernel({
    name: 'LabLogSoftmaxGradient',
    compute: (call) => overRows(call, 'log_softmax_rows_backward', ['dy', 'y']),
  });
  registerRule({
    kernelName: 'LabLogSoftmax',
    outputs: [true],
    rule: ({ dy, saved: [y] }) => ({
      x: () => runSingle('LabLogSoftmaxGradient', { dy, y: y as tf.Tensor }),
    }),
  });
}
