import type { tf } from '../tfjs.js';
import { type KernelCall, registerWasmKernel, sizeOf } from './call.js';
import { checkIndexTensor } from './index-check.js';

/** Rows of `x` along axis 0 by the index tensor. */
function gatherAxis0(call: KernelCall, x: tf.TensorInfo, indices: tf.TensorInfo): tf.TensorInfo {
  const rows = x.shape[0] as number;
  checkIndexTensor(call, indices, { name: 'indices', low: 0, high: rows });
  const inner = x.shape.slice(1);
  const output = call.output([...indices.shape, ...inner]);
  const count = sizeOf(indices.shape);
  const addresses = [x, indices, output].map(call.address);
  call.run('gather_rows', count, sizeOf(inner), ...addresses);
  return output;
}

/** Registers the gather of rows, for `gatherRows` and for `tf.gather` along axis 0. */
export function installGather(): void {
  registerWasmKernel({
    name: 'LabGatherRows',
    compute: (call) => gatherAxis0(call, call.input('x'), call.input('indices')),
  });
  registerWasmKernel(
    {
      name: 'GatherV2',
      compute: (call) => gatherAxis0(call, call.input('x'), call.input('indices')),
    },
    ({ x, indices }, attrs) =>
      x?.dtype === 'float32' &&
      indices?.dtype === 'int32' &&
      (attrs?.['axis'] === 0 || attrs?.['axis'] === -x.shape.length) &&
      !attrs?.['batchDims'],
  );
}
