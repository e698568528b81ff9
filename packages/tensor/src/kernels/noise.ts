import { blockOf, type KernelCall, registerOwnKernel } from './call.js';
import type { tf } from '../tfjs.js';

function noiseRows(call: KernelCall): tf.TensorInfo {
  const rows = call.input('rows');
  const width = call.attribute<number>('width');
  const count = rows.shape[0] as number;
  const output = call.output([count, width]);
  const numbers = [call.attribute<number>('seed32'), call.attribute<number>('isNormal')];
  const work = { kernel: 'noise_rows', count, block: blockOf(4 * width) };
  call.runBlocks(work, width, call.address(rows), ...numbers, call.address(output));
  return output;
}

/** Registers rows of random numbers. */
export function installNoise(): void {
  registerOwnKernel({ name: 'LabNoiseRows', compute: noiseRows });
}
