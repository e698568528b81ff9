import { runSingle } from '../engine.js';
import { registerRule } from '../gradients/rule.js';
import { dropoutThreshold } from '../ops/dropout.js';
import type { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';

function dropout(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const rate = call.attribute<number>('rate');
  const output = call.output(x.shape);
  const [from = 0, to = 0] = [x, output].map(call.address);
  const mask = [call.attribute<number>('seed32'), dropoutThreshold(rate), 1 / (1 - rate)];
  const work = { kernel: 'dropout', count: sizeOf(x.shape), block: blockOf(2) };
  call.runBlocks(work, from, ...mask, to);
  return output;
}

/** Registers dropout; its gradient is dropout of the gradient with the same mask. */
export function installDropout(): void {
  registerOwnKernel({ name: 'LabDropout', compute: dropout });
  registerRule({
    kernelName: 'LabDropout',
    rule: ({ dy, attribute }) => ({
      x: () =>
        runSingle(
          'LabDropout',
          { x: dy },
          { rate: attribute('rate'), seed32: attribute('seed32') },
        ),
    }),
  });
}
