import { registerRule } from '../gradients/rule.js';
import { runSingle } from '../engine.js';
import { assertDtype } from '../shape.js';
import { tf } from '../tfjs.js';
import { type KernelCall, registerWasmKernel, sizeOf } from './call.js';
import { checkIndexTensor } from './index-check.js';

function segmentSum(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const ids = call.input('segmentIds');
  const segments = call.attribute<number>('numSegments');
  assertDtype(x, 'float32', 'x');
  assertDtype(ids, 'int32', 'segmentIds');
  checkIndexTensor(call, ids, { name: 'ids', low: -1, high: segments });
  const inner = x.shape.slice(ids.shape.length);
  const output = call.output([segments, ...inner]);
  const sizes = [sizeOf(ids.shape), sizeOf(inner), segments];
  call.run('segment_sum', ...sizes, ...[x, ids, output].map(call.address));
  return output;
}

function segmentMax(call: KernelCall): tf.TensorInfo[] {
  const x = call.input('x');
  const ids = call.input('ids');
  const count = call.attribute<number>('count');
  checkIndexTensor(call, ids, { name: 'ids', low: 0, high: count });
  const inner = x.shape.slice(1);
  const output = call.output([count, ...inner]);
  const places = call.output([count, ...inner], 'int32');
  const sizes = [x.shape[0] as number, sizeOf(inner), count];
  call.run('segment_max', ...sizes, ...[x, ids, output, places].map(call.address));
  return [output, places];
}

function segmentMaxGradient(call: KernelCall): tf.TensorInfo {
  const dy = call.input('dy');
  const rows = call.attribute<number>('rows');
  const inner = dy.shape.slice(1);
  const output = call.output([rows, ...inner]);
  const sizes = [rows, sizeOf(inner), dy.shape[0] as number];
  const addresses = [dy, call.input('places'), output].map(call.address);
  call.run('segment_max_backward', ...sizes, ...addresses);
  return output;
}

function segmentSoftmax(call: KernelCall): tf.TensorInfo {
  const scores = call.input('scores');
  const ids = call.input('ids');
  const count = call.attribute<number>('count');
  checkIndexTensor(call, ids, { name: 'ids', low: 0, high: count });
  const output = call.output(scores.shape);
  const addresses = [scores, ids, output].map(call.address);
  call.temporary(count * 4, (scratch) =>
    call.run('segment_softmax', sizeOf(scores.shape), count, ...addresses, scratch),
  );
  return output;
}

function segmentSoftmaxGradient(call: KernelCall): tf.TensorInfo {
  const y = call.input('y');
  const count = call.attribute<number>('count');
  const output = call.output(y.shape);
  const addresses = [y, call.input('dy'), call.input('ids'), output].map(call.address);
  call.temporary(count * 4, (scratch) =>
    call.run('segment_softmax_backward', sizeOf(y.shape), count, ...addresses, scratch),
  );
  return output;
}

function registerRules(): void {
  registerRule({
    kernelName: 'LabSegmentMax',
    inputs: ['ids'],
    outputs: [false, true],
    rule: ({ dy, saved: [ids, places] }) => ({
      x: () => {
        const inputs = { dy, places: places as tf.Tensor };
        return runSingle('LabSegmentMaxGradient', inputs, { rows: ids?.size });
      },
    }),
  });
  registerRule({
    kernelName: 'LabSegmentSoftmax',
    inputs: ['ids'],
    outputs: [true],
    rule: ({ dy, saved: [ids, y], attribute }) => ({
      scores: () => {
        const inputs = { y: y as tf.Tensor, dy, ids: ids as tf.Tensor };
        return runSingle('LabSegmentSoftmaxGradient', inputs, { count: attribute('count') });
      },
    }),
  });
}

/** Registers the segment reductions and their gradients. */
export function installSegment(): void {
  registerWasmKernel({ name: tf.UnsortedSegmentSum, compute: segmentSum });
  registerWasmKernel({ name: 'LabSegmentMax', compute: segmentMax });
  registerWasmKernel({ name: 'LabSegmentMaxGradient', compute: segmentMaxGradient });
  registerWasmKernel({ name: 'LabSegmentSoftmax', compute: segmentSoftmax });
  registerWasmKernel({ name: 'LabSegmentSoftmaxGradient', compute: segmentSoftmaxGradient });
  registerRules();
}
