import { runSingle } from '../engine.js';
import { tf } from '../tfjs.js';
import { activeKernels } from '../active-kernels.js';
import { addressOf, type KernelModule } from '../kernel-module.js';
import { blockOf, NUMBER_BYTES, registerOwnKernel } from './call.js';

/** Our kernels when they are in use and nothing but `target` has its values; else undefined. */
function soleOwner(target: tf.Tensor): KernelModule | undefined {
  const kernels = activeKernels();
  if (kernels === null || target.dtype !== 'float32' || target.kept) return undefined;
  return kernels.memory.refCount(target) === 1 ? kernels : undefined;
}

/**
 * Adds `x` to the values of `target` where that can be done in place; whether it was.
 *
 * The caller must be the only one who knows `target`.
 */
export function addInPlace(target: tf.Tensor, x: tf.Tensor): boolean {
  const kernels = soleOwner(target);
  if (kernels === undefined || !tf.util.arraysEqual(target.shape, x.shape)) return false;
  if (x.dtype !== 'float32' || x.dataId === target.dataId) return false;
  const to = addressOf(kernels, target);
  const work = { kernel: 'add_values', count: target.size, block: blockOf(3) };
  kernels.callBlocks(work, to, 0, addressOf(kernels, x), 0, to);
  return true;
}

/** A matrix to be filled by {@link writeRows}, values undefined; none without our kernels. */
export function emptyRows(shape: [number, number]): tf.Tensor2D | undefined {
  if (tf.getKernel('LabEmpty', tf.getBackend()) == null) return undefined;
  return runSingle<tf.Tensor2D>('LabEmpty', {}, { shape });
}

/**
 * A new float32 tensor whose values `fill` writes, all of them, where they lie; without our kernels
 * it writes an array, which is copied.
 */
export function filledTensor(
  shape: readonly number[],
  fill: (values: Float32Array) => void,
): tf.Tensor {
  const kernels = activeKernels();
  const size = tf.util.sizeFromShape(shape.slice());
  if (kernels === null || size === 0 || tf.getKernel('LabEmpty', tf.getBackend()) == null) {
    const values = new Float32Array(size);
    fill(values);
    return tf.tensor(values, shape.slice(), 'float32');
  }
  const tensor = runSingle('LabEmpty', {}, { shape: shape.slice() });
  fill(kernels.memory.floats(addressOf(kernels, tensor), size));
  return tensor;
}

/** Writes `rows` times `factor` into `target` from row `start` on; with our kernels only. */
export function writeRows(
  target: tf.Tensor2D,
  rows: tf.Tensor2D,
  { start, factor }: { start: number; factor: number },
): void {
  const kernels = activeKernels() as KernelModule;
  const to = addressOf(kernels, target) + start * target.shape[1] * NUMBER_BYTES;
  const work = { kernel: 'scale_values', count: rows.size, block: blockOf(2) };
  kernels.callBlocks(work, addressOf(kernels, rows), factor, to);
}

/** Registers the kernel of {@link emptyRows} and {@link filledTensor}. */
export function installInPlace(): void {
  registerOwnKernel({
    name: 'LabEmpty',
    compute: (call) => call.output(call.attribute<number[]>('shape')),
  });
}
