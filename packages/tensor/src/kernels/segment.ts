import { tf } from '../tfjs.js';
import { type KernelCall, registerWasmKernel, sizeOf } from './call.js';
import { checkIndexTensor } from './index-check.js';

function segmentSum(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const ids = call.input('segmentIds');
  const segments = call.attribute<number>('numSegments');
  checkIndexTensor(call, ids, { name: 'ids', low: -1, high: segments });
  const inner = x.shape.slice(ids.shape.length);
  const output = call.output([segments, ...inner]);
  const sizes = [sizeOf(ids.shape), sizeOf(inner), segments];
  call.run('segment_sum', ...sizes, ...[x, ids, output].map(call.address));
  return output;
}

/** Registers the segment reductions. */
export function installSegment(): void {
  registerWasmKernel({ name: tf.UnsortedSegmentSum, compute: segmentSum });
}
