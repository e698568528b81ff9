/**
 * The one figure of memory that a training reports, in the terminal, on the page and in results.
 */
import { memoryReport } from '@lab/tensor';

/** What {@link peakTensorBytes} is called wherever it is shown. */
export const PEAK_MEMORY = 'peak tensor memory';

/**
 * Most bytes that tensors have held at one time; on a backend that does not count them (all but
 * wasm) what they hold now.
 */
export function peakTensorBytes(): number {
  const { peakHeapBytes, tensorBytes } = memoryReport();
  return peakHeapBytes ?? tensorBytes;
}
