import { runSingle } from '../engine.js';
import { registerRule } from '../gradients/rule.js';
import { assertDtype } from '../shape.js';
import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, NUMBER_BYTES, registerOwnKernel, sizeOf } from './call.js';
import { takeRows } from './gather.js';
import { checkIndexTensor } from './index-check.js';
import { installSegmentSoftmax } from './segment-softmax.js';

/** Rows of fewer columns are added one by one, on the main thread. */
const NARROW_WIDTH = 8;

/** With fewer segments than these, columns are shared among the threads too, so many at a time. */
const FEW_SEGMENTS = 64;
const STRIP_COLUMNS = 64;

interface SegmentSizes {
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
}

/** Rows in the order of their segments, for the time of `body`. */
function withOrder(
  call: KernelCall,
  ids: tf.TensorInfo,
  { rows, count }: SegmentSizes,
  body: (starts: number, order: number) => void,
): void {
  const startBytes = (count + 1) * NUMBER_BYTES;
  call.temporary(startBytes + rows * NUMBER_BYTES, (starts) => {
    const order = starts + startBytes;
    call.run('segment_order', rows, count, call.address(ids), starts, order);
    body(starts, order);
  });
}

/** How a reduction of whole segments is cut. */
function workOf(kernel: string, { rows, columns, count }: SegmentSizes) {
  const strip = Math.max(1, count < FEW_SEGMENTS ? Math.min(columns, STRIP_COLUMNS) : columns);
  const items = count * Math.ceil(columns / strip);
  const block = blockOf((rows * columns) / Math.max(items, 1) + strip);
  return { strip, work: { kernel, count: items, block } };
}

function total(call: KernelCall, x: tf.TensorInfo, ids: tf.TensorInfo, isMean: boolean) {
  const count = call.attribute<number>(isMean ? 'count' : 'numSegments');
  const inner = x.shape.slice(ids.shape.length);
  const sizes = { rows: sizeOf(ids.shape), columns: sizeOf(inner), count };
  const output = call.output([count, ...inner]);
  const [from = 0, to = 0] = [x, output].map(call.address);
  if (!isMean && sizes.columns < NARROW_WIDTH) {
    const { rows, columns } = sizes;
    call.run('segment_sum', rows, columns, count, from, call.address(ids), to);
    return output;
  }
  const { strip, work } = workOf('segment_total', sizes);
  withOrder(call, ids, sizes, (starts, order) => {
    call.runBlocks(work, from, sizes.columns, strip, starts, order, to, Number(isMean));
  });
  return output;
}

function segmentSum(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const ids = call.input('segmentIds');
  assertDtype(x, 'float32', 'x');
  assertDtype(ids, 'int32', 'segmentIds');
  const high = call.attribute<number>('numSegments');
  const low = call.attribute<number | undefined>('lowestId') ?? -1;
  checkIndexTensor(call, ids, { name: 'ids', low, high });
  return total(call, x, ids, false);
}

function segmentMean(call: KernelCall): tf.TensorInfo {
  const ids = call.input('ids');
  checkIndexTensor(call, ids, { name: 'ids', low: 0, high: call.attribute<number>('count') });
  return total(call, call.input('x'), ids, true);
}

function segmentMeanGradient(call: KernelCall): tf.TensorInfo {
  const dy = call.input('dy');
  const ids = call.input('ids');
  const [segments = 0, ...inner] = dy.shape;
  const rows = sizeOf(ids.shape);
  const columns = sizeOf(inner);
  const output = call.output([rows, ...inner]);
  const [from = 0, of = 0, to = 0] = [dy, ids, output].map(call.address);
  call.temporary(segments * NUMBER_BYTES, (shares) => {
    call.run('segment_shares', rows, segments, of, shares);
    const work = { kernel: 'segment_mean_backward', count: rows, block: blockOf(2 * columns) };
    call.runBlocks(work, columns, from, shares, of, to);
  });
  return output;
}

function segmentMax(call: KernelCall): tf.TensorInfo[] {
  const x = call.input('x');
  const ids = call.input('ids');
  const count = call.attribute<number>('count');
  checkIndexTensor(call, ids, { name: 'ids', low: 0, high: count });
  const inner = x.shape.slice(1);
  const sizes = { rows: x.shape[0] as number, columns: sizeOf(inner), count };
  const outputs = [call.output([count, ...inner]), call.output([count, ...inner], 'int32')];
  const [from = 0, to = 0, places = 0] = [x, ...outputs].map(call.address);
  const { strip, work } = workOf('segment_max', sizes);
  withOrder(call, ids, sizes, (starts, order) => {
    call.runBlocks(work, from, sizes.columns, strip, starts, order, to, places);
  });
  return outputs;
}

function segmentMaxGradient(call: KernelCall): tf.TensorInfo {
  const dy = call.input('dy');
  const ids = call.input('ids');
  const rows = sizeOf(ids.shape);
  const inner = dy.shape.slice(1);
  const output = call.output([rows, ...inner]);
  const addresses = [dy, call.input('places'), ids, output].map(call.address);
  const width = sizeOf(inner);
  const work = { kernel: 'segment_max_backward', count: rows, block: blockOf(3 * width) };
  call.runBlocks(work, width, ...addresses);
  return output;
}

/** Registers the segment reductions and the kernels of their gradients. */
function installReductions(): void {
  registerOwnKernel({ name: tf.UnsortedSegmentSum, compute: segmentSum });
  registerOwnKernel({
    name: 'LabSegmentSumGradient',
    compute: (call) => takeRows(call, call.input('dy'), call.input('ids')),
  });
  registerOwnKernel({ name: 'LabSegmentMean', compute: segmentMean });
  registerOwnKernel({ name: 'LabSegmentMeanGradient', compute: segmentMeanGradient });
  registerOwnKernel({ name: 'LabSegmentMax', compute: segmentMax });
  registerOwnKernel({ name: 'LabSegmentMaxGradient', compute: segmentMaxGradient });
}

function registerRules(): void {
  registerRule({
    kernelName: 'LabSegmentMean',
    inputs: ['ids'],
    rule: ({ dy, saved: [ids] }) => ({
      x: () => runSingle('LabSegmentMeanGradient', { dy, ids: ids as tf.Tensor }),
    }),
  });
  registerRule({
    kernelName: 'LabSegmentMax',
    inputs: ['ids'],
    outputs: [false, true],
    rule: ({ dy, saved: [ids, places] }) => ({
      x: () => {
        const inputs = { dy, ids: ids as tf.Tensor, places: places as tf.Tensor };
        return runSingle('LabSegmentMaxGradient', inputs);
      },
    }),
  });
}

/** Registers segment sum, mean, maximum and softmax, and their gradients. */
export function installSegment(): void {
  installReductions();
  registerRules();
  installSegmentSoftmax();
}
