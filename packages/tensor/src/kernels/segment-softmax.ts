import { runSingle } from '../engine.js';
import { registerRule } from '../gradients/rule.js';
import type { tf } from '../tfjs.js';
import { blockOf, type KernelCall, NUMBER_BYTES, registerOwnKernel, sizeOf } from './call.js';
import { checkIndexTensor } from './index-check.js';

/** Values that the block kernels touch for one score. */
const VALUES_PER_SCORE = 8;

/** Exponentials and quotients run on all threads; the sums, in the order of the rows, on one. */
function segmentSoftmax(call: KernelCall): tf.TensorInfo {
  const scores = call.input('scores');
  const ids = call.input('ids');
  const count = call.attribute<number>('count');
  checkIndexTensor(call, ids, { name: 'ids', low: 0, high: count });
  const rows = sizeOf(scores.shape);
  const output = call.output(scores.shape);
  const [from = 0, of = 0, to = 0] = [scores, ids, output].map(call.address);
  const cut = { count: rows, block: blockOf(VALUES_PER_SCORE) };
  call.temporary(count * NUMBER_BYTES, (perSegment) => {
    call.run('segment_largest', rows, count, from, of, perSegment);
    call.runBlocks({ kernel: 'segment_exponentials', ...cut }, from, of, perSegment, to);
    call.run('segment_sum', rows, 1, count, to, of, perSegment);
    call.runBlocks({ kernel: 'segment_divide', ...cut }, of, perSegment, to);
  });
  return output;
}

function segmentSoftmaxGradient(call: KernelCall): tf.TensorInfo {
  const y = call.input('y');
  const count = call.attribute<number>('count');
  const rows = sizeOf(y.shape);
  const output = call.output(y.shape);
  const inputs = [y, call.input('dy'), call.input('ids')];
  const [from = 0, dy = 0, of = 0, to = 0] = [...inputs, output].map(call.address);
  const work = {
    count: rows,
    block: blockOf(VALUES_PER_SCORE),
    kernel: 'segment_softmax_backward',
  };
  call.temporary(count * NUMBER_BYTES, (dots) => {
    call.run('segment_dots', rows, count, from, dy, of, dots);
    call.runBlocks(work, from, dy, of, dots, to);
  });
  return output;
}

/** Registers the softmax inside segments and its gradient. */
export function installSegmentSoftmax(): void {
  registerOwnKernel({ name: 'LabSegmentSoftmax', compute: segmentSoftmax });
  registerOwnKernel({ name: 'LabSegmentSoftmaxGradient', compute: segmentSoftmaxGradient });
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
