/** The linear memory of a module: its buffer is replaced whenever the memory grows. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

/** A global variable of a module. */
interface WasmGlobal {
  value: number;
}

/** What an instance exports: functions, and globals that may be set. */
export type WasmExports = Record<string, ((...values: number[]) => number) | WasmGlobal>;

/** The part of the WebAssembly API used here; the compiler's libraries know it in browsers only. */
interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
}

/** The engine's WebAssembly, typed. */
export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
