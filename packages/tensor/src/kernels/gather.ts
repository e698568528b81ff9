import { registerRule } from '../gradients/rule.js';
import { inputShape } from '../node-inputs.js';
import { tf } from '../tfjs.js';
import { type KernelCall, registerWasmKernel, sizeOf } from './call.js';
import { checkIndexTensor } from './index-check.js';

/** Rows of `x` along axis 0 by the index tensor; indices below `low` are errors. */
function gatherRows(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const indices = call.input('indices');
  checkIndexTensor(call, indices, { name: 'indices', low: 0, high: x.shape[0] as number });
  const inner = x.shape.slice(1);
  const output = call.output([...indices.shape, ...inner]);
  const addresses = [x, indices, output].map(call.address);
  call.run('gather_rows', sizeOf(indices.shape), sizeOf(inner), ...addresses);
  return output;
}

/** Registers the gather of rows, for `gatherRows` and for `tf.gather` along axis 0. */
export function installGather(): void {
  registerWasmKernel({ name: 'LabGatherRows', compute: gatherRows });
  registerWasmKernel(
    { name: tf.GatherV2, compute: gatherRows },
    ({ x, indices }, attrs) =>
      x?.dtype === 'float32' &&
      indices?.dtype === 'int32' &&
      (attrs?.['axis'] === 0 || attrs?.['axis'] === -x.shape.length) &&
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
