import { runKernel, runSingle } from '../engine.js';
import { registerRule, type RuleInput } from '../gradients/rule.js';
import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, NUMBER_BYTES, partWork, registerOwnKernel } from './call.js';

const sizesOf = (x: tf.TensorInfo): [number, number] => [
  x.shape[0] as number,
  x.shape[1] as number,
];

function normalizeRows(call: KernelCall): tf.TensorInfo[] {
  const x = call.input('x');
  const [rows, width] = sizesOf(x);
  const output = call.output(x.shape);
  const divisors = call.output([rows]);
  const [from = 0, to = 0, by = 0] = [x, output, divisors].map(call.address);
  const work = { kernel: 'normalize_rows', count: rows, block: blockOf(2 * width) };
  call.runBlocks(work, width, from, call.attribute<number>('epsilon'), to, by);
  return [output, divisors];
}

function normalizeRowsGradient(call: KernelCall): tf.TensorInfo {
  const y = call.input('y');
  const output = call.output(y.shape);
  const before = [y, call.input('divisors'), call.input('dy')].map(call.address);
  const epsilon = call.attribute<number>('epsilon');
  const [rows, width] = sizesOf(y);
  const work = { kernel: 'normalize_rows_backward', count: rows, block: blockOf(3 * width) };
  call.runBlocks(work, width, ...before, epsilon, call.address(output));
  return output;
}

function layerNorm(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const output = call.output(x.shape);
  const before = [x, call.input('gain'), call.input('bias')].map(call.address);
  const epsilon = call.attribute<number>('epsilon');
  const [rows, width] = sizesOf(x);
  const work = { kernel: 'layer_norm', count: rows, block: blockOf(2 * width) };
  call.runBlocks(work, width, ...before, epsilon, call.address(output));
  return output;
}

function layerNormGradient(call: KernelCall): tf.TensorInfo[] {
  const x = call.input('x');
  const [rows, width] = sizesOf(x);
  const outputs = [call.output(x.shape), call.output([2, width])];
  const before = [x, call.input('gain'), call.input('dy')].map(call.address);
  const epsilon = call.attribute<number>('epsilon');
  const [dx = 0, both = 0] = outputs.map(call.address);
  const work = { kernel: 'layer_norm_backward', ...partWork(call, rows, 3 * width) };
  const parts = Math.ceil(rows / work.block);
  call.temporary(parts * 2 * width * NUMBER_BYTES, (partial) => {
    call.runBlocks(work, width, ...before, epsilon, dx, partial, work.block);
    call.run('sum_parts', parts, 2 * width, partial, both);
  });
  return outputs;
}

function layerNormRule({ dy, saved, attribute }: RuleInput): Record<string, () => tf.Tensor> {
  const [x, gain] = saved as [tf.Tensor, tf.Tensor];
  const attributes = { epsilon: attribute('epsilon') };
  const [dx, both] = runKernel('LabLayerNormGradient', { x, gain, dy }, attributes);
  const [dgain, dbias] = tf.unstack(both as tf.Tensor2D);
  return {
    x: () => dx as tf.Tensor,
    gain: () => dgain as tf.Tensor,
    bias: () => dbias as tf.Tensor,
  };
}

/** Registers the normalisations of rows and their gradients. */
export function installRowNorms(): void {
  registerOwnKernel({ name: 'LabNormalizeRows', compute: normalizeRows });
  registerOwnKernel({ name: 'LabNormalizeRowsGradient', compute: normalizeRowsGradient });
  registerOwnKernel({ name: 'LabLayerNorm', compute: layerNorm });
  registerOwnKernel({ name: 'LabLayerNormGradient', compute: layerNormGradient });
  registerRule({
    kernelName: 'LabNormalizeRows',
    outputs: [true, true],
    rule: ({ dy, saved: [y, divisors], attribute }) => ({
      x: () => {
        const inputs = { y: y as tf.Tensor, divisors: divisors as tf.Tensor, dy };
        return runSingle('LabNormalizeRowsGradient', inputs, { epsilon: attribute('epsilon') });
      },
    }),
  });
  registerRule({ kernelName: 'LabLayerNorm', inputs: ['x', 'gain'], rule: layerNormRule });
}
