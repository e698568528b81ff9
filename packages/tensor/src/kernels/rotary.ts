import { runSingle } from '../engine.js';
import { registerRule } from '../gradients/rule.js';
import type { tf } from '../tfjs.js';
import { blockOf, type KernelCall, registerOwnKernel, sizeOf } from './call.js';

function rotary(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const [length, width] = x.shape.slice(-2) as [number, number];
  const cosines = call.input('cosines');
  const pairs = cosines.shape[1] as number;
  const output = call.output(x.shape);
  const count = width === 0 ? 0 : sizeOf(x.shape) / width;
  const work = { kernel: 'rotary_rows', count, block: blockOf(2 * width) };
  const form = [Number(call.attribute<boolean>('interleaved')), call.attribute<number>('sign')];
  const tensors = [x, cosines, call.input('sines'), output];
  call.runBlocks(work, length, width, pairs, ...form, ...tensors.map(call.address));
  return output;
}

/** Registers the rotary embedding; its gradient turns back by the same angles. */
export function installRotary(): void {
  registerOwnKernel({ name: 'LabRotary', compute: rotary });
  registerRule({
    kernelName: 'LabRotary',
    inputs: ['cosines', 'sines'],
    rule: ({ dy, saved, attribute }) => ({
      x: () => {
        const [cosines, sines] = saved as [tf.Tensor, tf.Tensor];
        const attributes = {
          interleaved: attribute('interleaved'),
          sign: -attribute<number>('sign'),
        };
        return runSingle('LabRotary', { x: dy, cosines, sines }, attributes);
      },
    }),
  });
}
