import { derivativeKernel } from '../gradients/rule.js';
import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';

/** Our C function for each stock operation on one tensor. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  [tf.Square]: 'square_values',
  [tf.Neg]: 'negate_values',
  [tf.Exp]: 'exp_values',
  [tf.Log]: 'log_values',
  [tf.Sigmoid]: 'sigmoid_values',
  [tf.Softplus]: 'softplus_values',
  [tf.Tanh]: 'tanh_values',
  [tf.Elu]: 'elu_values',
  [tf.Sqrt]: 'sqrt_values',
};

/** Our C function that multiplies `dy` with the derivative of each stock operation. */
const GRADIENTS: Readonly<Record<string, string>> = {
  [tf.Elu]: 'elu_gradient',
  [tf.Relu]: 'relu_gradient',
  [tf.Sigmoid]: 'sigmoid_gradient',
  [tf.Tanh]: 'tanh_gradient',
  [tf.Softplus]: 'softplus_gradient',
  [tf.Square]: 'square_gradient',
};

function unary(call: KernelCall, functionName: string): tf.TensorInfo {
  const x = call.input('x');
  const output = call.output(x.shape);
  const work = { kernel: functionName, count: sizeOf(x.shape), block: blockOf(2) };
  call.runBlocks(work, call.address(x), call.address(output));
  return output;
}

function gradient(call: KernelCall, functionName: string): tf.TensorInfo {
  const kept = call.input('kept');
  const output = call.output(kept.shape);
  const addresses = [call.input('dy'), kept, output].map(call.address);
  const work = { kernel: functionName, count: sizeOf(kept.shape), block: blockOf(3) };
  call.runBlocks(work, ...addresses);
  return output;
}

/** Registers the functions of one tensor and the kernels of their gradients. */
export function installElementwise(): void {
  const isFloat = ({ x }: tf.NamedTensorInfoMap): boolean => x?.dtype === 'float32';
  for (const [name, functionName] of Object.entries(FUNCTIONS)) {
    registerOwnKernel({ name, compute: (call) => unary(call, functionName) }, isFloat);
  }
  for (const [kernelName, functionName] of Object.entries(GRADIENTS)) {
    const name = derivativeKernel(kernelName);
    registerOwnKernel({ name, compute: (call) => gradient(call, functionName) });
  }
}
