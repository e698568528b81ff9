/**
 * Which registered kernels of the wasm backend ran: ours, or the stock ones they fall back to.
 */
import { tf } from './tfjs.js';

/** How often a registered kernel of the wasm backend ran since the last reset. */
export interface KernelUse {
  readonly kernel: string;
  /** Runs of our kernel. */
  readonly ours: number;
  /** Runs of the stock kernel of tfjs: there is none of ours, or not for these inputs. */
  readonly stock: number;
}

const uses = new Map<string, { ours: number; stock: number }>();

/** Counts one run of a kernel. */
export function countKernel(kernel: string, isOurs: boolean): void {
  let use = uses.get(kernel);
  if (use === undefined) {
    use = { ours: 0, stock: 0 };
    uses.set(kernel, use);
  }
  if (isOurs) use.ours += 1;
  else use.stock += 1;
}

let areStockCounted = false;

/** Has the stock kernels counted too, once: all of the wasm backend that `ours` does not name. */
export function countStockKernels(ours: ReadonlySet<string>): void {
  if (areStockCounted) return;
  areStockCounted = true;
  for (const config of tf.getKernelsForBackend('wasm')) {
    const { kernelName, kernelFunc } = config;
    if (ours.has(kernelName)) continue;
    tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({
      ...config,
      kernelFunc: (input) => {
        countKernel(kernelName, false);
        return kernelFunc(input);
      },
    });
  }
}

/**
 * The kernels of the wasm backend that ran, by name, with the runs of ours and of the stock one.
 *
 * Optimiser steps and losses that call our C functions without the registry are not listed.
 *
 * @example
 * ```ts
 * await selectBackend('wasm');
 * resetKernelReport();
 * tf.tidy(() => void tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])));
 * kernelReport().find(({ kernel }) => kernel === 'BatchMatMul')?.ours; // => 1
 * ```
 */
export function kernelReport(): KernelUse[] {
  return [...uses]
    .map(([kernel, use]) => ({ kernel, ...use }))
    .sort((a, b) => (a.kernel < b.kernel ? -1 : 1));
}

/** Starts the counts of {@link kernelReport} anew. */
export function resetKernelReport(): void {
  uses.clear();
}
