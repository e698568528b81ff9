import { installGather } from './gather.js';
import { installMatMul } from './matmul.js';
import { installSegment } from './segment.js';

let isInstalled = false;

/** Registers our kernels for the wasm backend, once; the stock ones must be registered already. */
export function installWasmKernels(): void {
  if (isInstalled) return;
  isInstalled = true;
  installMatMul();
  installGather();
  installSegment();
}
