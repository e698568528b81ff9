import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';

function topK(call: KernelCall): tf.TensorInfo[] {
  const x = call.input('x');
  const k = call.attribute<number>('k');
  const columns = x.shape.at(-1) as number;
  const rows = sizeOf(x.shape.slice(0, -1));
  const shape = [...x.shape.slice(0, -1), k];
  const outputs = [call.output(shape), call.output(shape, 'int32')];
  const [from = 0, values = 0, indices = 0] = [x, ...outputs].map(call.address);
  const work = { kernel: 'top_k', count: rows, block: blockOf(columns) };
  call.runBlocks(work, from, columns, k, values, indices);
  return outputs;
}

/**
 * Registers `tf.topk` of float tensors: values and indices, always sorted, the largest first.
 *
 * Equal values (0 and -0 too) stand in the order of their indices. NaN counts as larger than any
 * number, as in PyTorch.
 */
export function installTopK(): void {
  registerOwnKernel({ name: tf.TopK, compute: topK }, ({ x }) => x?.dtype === 'float32');
}
