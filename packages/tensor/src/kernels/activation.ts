import { runSingle } from '../engine.js';
import { derivativeKernel, registerRule } from '../gradients/rule.js';
import type { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';

/** Our operations and the C functions of value and gradient. */
const FUNCTIONS: Readonly<Record<string, readonly [value: string, gradient: string]>> = {
  Gelu: ['gelu_values', 'gelu_gradient'],
  GeluTanh: ['gelu_tanh_values', 'gelu_tanh_gradient'],
  Silu: ['silu_values', 'silu_gradient'],
};

function apply(call: KernelCall, kernel: string, names: readonly string[]): tf.TensorInfo {
  const inputs = names.map(call.input);
  const { shape } = inputs[0] as tf.TensorInfo;
  const output = call.output(shape);
  // An exponential and a division a value, some six times the price of a value.
  const work = { kernel, count: sizeOf(shape), block: blockOf(6) };
  call.runBlocks(work, ...[...inputs, output].map(call.address));
  return output;
}

/** Registers GELU, in both forms, and SiLU, with their gradients. */
export function installActivations(): void {
  for (const [name, [value, gradient]] of Object.entries(FUNCTIONS)) {
    const kernelName = `Lab${name}`;
    const slope = derivativeKernel(name);
    registerOwnKernel({ name: kernelName, compute: (call) => apply(call, value, ['x']) });
    registerOwnKernel({ name: slope, compute: (call) => apply(call, gradient, ['dy', 'x']) });
    registerRule({
      kernelName,
      inputs: ['x'],
      rule: ({ dy, saved: [x] }) => ({ x: () => runSingle(slope, { dy, x: x as tf.Tensor }) }),
    });
  }
}
