import type { WasmExports, WasmMemory } from '../webassembly.js';
import type { Tile } from './wide-tile.mjs';

/** The compiled modules: the tile of products, and all else, which imports it. */
export interface KernelModules {
  readonly kernels: object;
  readonly tile: object;
}

export declare function instantiateKernels(
  modules: KernelModules,
  memory: WasmMemory,
): { readonly exports: WasmExports; readonly tile: Tile };
