import { runKernel } from '../engine.js';
import { registerRule } from '../gradients/rule.js';
import type { tf } from '../tfjs.js';
import {
  blockOf,
  type KernelCall,
  NUMBER_BYTES,
  partWork,
  registerOwnKernel,
  sizeOf,
} from './call.js';

interface RowSizes {
  readonly count: number;
  readonly width: number;
}

function rowSizes({ shape }: tf.TensorInfo): RowSizes {
  const width = shape.at(-1) as number;
  return { width, count: width === 0 ? 0 : sizeOf(shape) / width };
}

function rmsNorm(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const { count, width } = rowSizes(x);
  const output = call.output(x.shape);
  const [from = 0, gain = 0, to = 0] = [x, call.input('gain'), output].map(call.address);
  const work = { kernel: 'rms_norm', count, block: blockOf(2 * width) };
  call.runBlocks(work, width, from, gain, call.attribute<number>('epsilon'), to);
  return output;
}

function rmsNormGradient(call: KernelCall): tf.TensorInfo[] {
  const x = call.input('x');
  const { count, width } = rowSizes(x);
  const outputs = [call.output(x.shape), call.output([width])];
  const before = [x, call.input('gain'), call.input('dy')].map(call.address);
  const [dx = 0, dgain = 0] = outputs.map(call.address);
  const work = { kernel: 'rms_norm_backward', ...partWork(call, count, 3 * width) };
  const parts = Math.ceil(count / work.block);
  call.temporary(parts * width * NUMBER_BYTES, (partial) => {
    const epsilon = call.attribute<number>('epsilon');
    call.runBlocks(work, width, ...before, epsilon, dx, partial, work.block);
    call.run('sum_parts', parts, width, partial, dgain);
  });
  return outputs;
}

/** Registers the root-mean-square normalisation of rows and its gradient. */
export function installRmsNorm(): void {
  registerOwnKernel({ name: 'LabRmsNorm', compute: rmsNorm });
  registerOwnKernel({ name: 'LabRmsNormGradient', compute: rmsNormGradient });
  registerRule({
    kernelName: 'LabRmsNorm',
    inputs: ['x', 'gain'],
    rule: ({ dy, saved, attribute }) => {
      const [x, gain] = saved as [tf.Tensor, tf.Tensor];
      const attributes = { epsilon: attribute('epsilon') };
      const [dx, dgain] = runKernel('LabRmsNormGradient', { x, gain, dy }, attributes);
      return { x: () => dx as tf.Tensor, gain: () => dgain as tf.Tensor };
    },
  });
}
