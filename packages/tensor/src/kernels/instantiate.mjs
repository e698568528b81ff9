// @ts-check

/**
 * What the kernels export on one memory, and the tile of their products.
 *
 * @param {{ kernels: WebAssembly.Module, tile: WebAssembly.Module }} modules
 * @param {WebAssembly.Memory} memory
 */
export function instantiateKernels({ kernels, tile: tileModule }, memory) {
  const { tile } = new WebAssembly.Instance(tileModule, { env: { memory } }).exports;
  const { exports } = new WebAssembly.Instance(kernels, { env: { memory, tile } });
  return { exports, tile };
}
