import { registerRule } from '../gradients/rule.js';
import { inputShape } from '../node-inputs.js';
import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';
import { checkIndexTensor } from './index-check.js';

/**
 * A new tensor of the rows of `x` along `axis` that the indices name, on all threads.
 *
 * A negative index gives a row of zeros; what is in range must be checked before.
 */
export function takeRows(
  call: KernelCall,
  x: tf.TensorInfo,
  indices: tf.TensorInfo,
  axis = 0,
): tf.TensorInfo {
  const outer = x.shape.slice(0, axis);
  const inner = x.shape.slice(axis + 1);
  const output = call.output([...outer, ...indices.shape, ...inner], x.dtype);
  const [from = 0, order = 0, to = 0] = [x, indices, output].map(call.address);
  const count = sizeOf(indices.shape);
  const width = sizeOf(inner);
  const work = {
    kernel: 'gather_row_blocks',
    count: width === 0 ? 0 : sizeOf(outer) * count,
    block: blockOf(2 * width + 4),
  };
  call.runBlocks(work, from, x.shape[axis] as number, width, order, count, to);
  return output;
}

/** Rows of `x` along an axis by the index tensor; indices out of range are errors. */
function gatherRows(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const indices = call.input('indices');
  const given = call.attribute<number | undefined>('axis') ?? 0;
  const axis = tf.util.parseAxisParam(given, x.shape)[0] as number;
  checkIndexTensor(call, indices, { name: 'indices', low: 0, high: x.shape[axis] as number });
  return takeRows(call, x, indices, axis);
}

/** Registers the gather of rows, for `gatherRows` and for `tf.gather` without batch axes. */
export function installGather(): void {
  registerOwnKernel({ name: 'LabGatherRows', compute: gatherRows });
  registerOwnKernel(
    { name: tf.GatherV2, compute: gatherRows },
    ({ x, indices }, attrs) =>
      (x?.dtype === 'float32' || x?.dtype === 'int32') &&
      indices?.dtype === 'int32' &&
      !attrs?.['batchDims'],
  );
  registerRule({
    kernelName: 'LabGatherRows',
    inputs: ['indices'],
    rule: ({ dy, saved }) => ({
      x: () => tf.unsortedSegmentSum(dy, saved[0] as tf.Tensor1D, inputShape('x')[0] as number),
    }),
  });
}
