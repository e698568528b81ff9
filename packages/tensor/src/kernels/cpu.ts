import { tf } from '../tfjs.js';

interface CpuBackend {
  readonly data: { get(dataId: object): { values: Float32Array | Int32Array } };
  makeTensorInfo(
    shape: readonly number[],
    dtype: tf.DataType,
    values: Float32Array | Int32Array,
  ): tf.TensorInfo;
}

/** Segment sum in one pass over the rows; the stock one makes a pass per segment. */
function unsortedSegmentSum(args: {
  inputs: tf.NamedTensorInfoMap;
  backend: unknown;
  attrs?: tf.NamedAttrMap;
}): tf.TensorInfo {
  const backend = args.backend as CpuBackend;
  const x = args.inputs['x'] as tf.TensorInfo;
  const segmentIds = args.inputs['segmentIds'] as tf.TensorInfo;
  const segments = args.attrs?.['numSegments'] as number;
  const inner = x.shape.slice(segmentIds.shape.length);
  const width = tf.util.sizeFromShape(inner);
  const values = backend.data.get(x.dataId).values;
  const ids = backend.data.get(segmentIds.dataId).values;
  const sums = new (x.dtype === 'int32' ? Int32Array : Float32Array)(segments * width);
  for (let e = 0; e < ids.length; e++) {
    const segment = ids[e] as number;
    if (segment < 0 || segment >= segments) continue;
    for (let d = 0; d < width; d++) {
      const to = segment * width + d;
      sums[to] = (sums[to] as number) + (values[e * width + d] as number);
    }
  }
  return backend.makeTensorInfo([segments, ...inner], x.dtype, sums);
}

let isInstalled = false;

/** Replaces the cpu kernel of `tf.unsortedSegmentSum`, once. */
export function installCpuKernels(): void {
  if (isInstalled) return;
  isInstalled = true;
  tf.unregisterKernel(tf.UnsortedSegmentSum, 'cpu');
  tf.registerKernel({
    kernelName: tf.UnsortedSegmentSum,
    backendName: 'cpu',
    kernelFunc: unsortedSegmentSum as unknown as tf.KernelFunc,
  });
}
