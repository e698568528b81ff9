import { tf } from '../tfjs.js';
import { type KernelCall, registerWasmKernel, sizeOf } from './call.js';

/** The axes when they lie together, ascending; else undefined. */
function adjacentAxes(axis: unknown, shape: readonly number[]): number[] | undefined {
  const every = shape.map((_, i) => i);
  const given = (axis as number | number[] | undefined) ?? every;
  const axes = tf.util.parseAxisParam(given, shape as number[]);
  axes.sort((a, b) => a - b);
  return axes.every((a, i) => a === (axes[0] as number) + i) ? axes : undefined;
}

function reduce(call: KernelCall, isMean: boolean): tf.TensorInfo {
  const x = call.input('x');
  const axes = adjacentAxes(call.attribute('axis'), x.shape) ?? [];
  const first = axes[0] ?? 0;
  const end = first + axes.length;
  const [before, reduced, after] = [
    x.shape.slice(0, first),
    x.shape.slice(first, end),
    x.shape.slice(end),
  ];
  const [outer = 1, middle = 1, inner = 1] = [before, reduced, after].map(sizeOf);
  const kept = call.attribute<boolean>('keepDims') ? axes.map(() => 1) : [];
  const output = call.output([...before, ...kept, ...after]);
  const [from = 0, to = 0] = [x, output].map(call.address);
  call.temporary(inner * 4, (scratch) =>
    call.run('sum_middle', outer, middle, inner, from, to, scratch),
  );
  if (isMean) call.run('scale_values', outer * inner, to, 1 / middle, to);
  return output;
}

/** Registers sum and mean over adjacent axes of float tensors; other cases stay with tfjs. */
export function installReduce(): void {
  const isOurs = ({ x }: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap | undefined): boolean =>
    x?.dtype === 'float32' && adjacentAxes(attrs?.['axis'], x.shape) !== undefined;
  registerWasmKernel({ name: tf.Sum, compute: (call) => reduce(call, false) }, isOurs);
  registerWasmKernel({ name: tf.Mean, compute: (call) => reduce(call, true) }, isOurs);
}
