import { tf } from './tfjs.js';

/** Values that a kernel receives besides tensors; ours may be objects such as a sparse pattern. */
export type KernelAttributes = Readonly<Record<string, unknown>>;

/** Whether the present backend has the named kernel. */
export function hasKernel(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) != null;
}

/** The outputs of a registered kernel on the present backend, recorded for the gradient. */
export function runKernel(
  name: string,
  inputs: tf.NamedTensorMap,
  attributes: KernelAttributes = {},
): tf.Tensor[] {
  const attrs = attributes as unknown as tf.NamedAttrMap;
  const outputs: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(name, inputs, attrs);
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** The only output of a registered kernel. */
export function runSingle<T extends tf.Tensor>(
  name: string,
  inputs: tf.NamedTensorMap,
  attributes: KernelAttributes = {},
): T {
  return runKernel(name, inputs, attributes)[0] as T;
}
