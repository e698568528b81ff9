import { runKernel } from '../engine.js';
import { registerRule } from '../gradients/rule.js';
import type { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';

const DOUBLE_BYTES = 8;

/** The attributes that say what the spread is, in the order of the C functions. */
const SPREAD = ['isSquashed', 'ceiling', 'offset', 'slope'] as const;

const spreadOf = (call: KernelCall): number[] => SPREAD.map((name) => call.attribute<number>(name));

function divergence(call: KernelCall): tf.TensorInfo {
  const mean = call.input('mean');
  const count = sizeOf(mean.shape);
  const output = call.output([]);
  const prior = call.attribute<number>('prior');
  const work = { kernel: 'gaussian_kl', count, block: blockOf(8) };
  const blocks = Math.ceil(count / work.block);
  const inputs = [mean, call.input('spread')].map(call.address);
  call.temporary((blocks + 1) * DOUBLE_BYTES, (address) => {
    const sums = (address + DOUBLE_BYTES - 1) & ~(DOUBLE_BYTES - 1);
    const numbers = [...spreadOf(call), Math.log(prior), prior ** -2];
    call.runBlocks(work, ...inputs, ...numbers, sums, work.block);
    call.run('gaussian_kl_total', blocks, sums, factorOf(mean), call.address(output));
  });
  return output;
}

/** `1 / N`, the weight of a row in the mean. */
const factorOf = (mean: tf.TensorInfo): number => 1 / Math.max(mean.shape[0] as number, 1);

function divergenceGradient(call: KernelCall): tf.TensorInfo[] {
  const mean = call.input('mean');
  const outputs = [call.output(mean.shape), call.output(mean.shape)];
  const inputs = [mean, call.input('spread')].map(call.address);
  const work = { kernel: 'gaussian_kl_backward', count: sizeOf(mean.shape), block: blockOf(8) };
  const numbers = [...spreadOf(call), call.attribute<number>('prior') ** -2];
  const upstream = [call.address(call.input('dy')), factorOf(mean)];
  call.runBlocks(work, ...inputs, ...numbers, ...upstream, ...outputs.map(call.address));
  return outputs;
}

/** Registers the KL divergence of diagonal Gaussians and its gradients. */
export function installGaussianKl(): void {
  registerOwnKernel({ name: 'LabGaussianKl', compute: divergence });
  registerOwnKernel({ name: 'LabGaussianKlGradient', compute: divergenceGradient });
  registerRule({
    kernelName: 'LabGaussianKl',
    inputs: ['mean', 'spread'],
    rule: ({ dy, saved: [mean, spread], attribute }) => {
      const attributes = Object.fromEntries(
        [...SPREAD, 'prior'].map((name) => [name, attribute<number>(name)]),
      );
      const inputs = { mean: mean as tf.Tensor, spread: spread as tf.Tensor, dy };
      const [dmean, dspread] = runKernel('LabGaussianKlGradient', inputs, attributes);
      return { mean: () => dmean as tf.Tensor, spread: () => dspread as tf.Tensor };
    },
  });
}
