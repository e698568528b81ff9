/**
 * The stock wasm module of tfjs with a memory that threads can share.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const IMPORT_SECTION = 2;
const MEMORY_SECTION = 5;
/** Kind of an import that is a memory. */
const MEMORY_IMPORT = 2;
/** Limits with a maximum: of a memory of one thread, and of a shared one. */
const LIMITED = 1;
const LIMITED_AND_SHARED = 3;

/** Where a section's content begins, or undefined when the module has none of that kind. */
function sectionStart(bytes: Uint8Array, kind: number): number | undefined {
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (id === kind) return at;
    at += size;
  }
  return undefined;
}

/** Where the limits of the module's memory stand: its own, or its first import. */
function limitsPlace(bytes: Uint8Array): number | undefined {
  const own = sectionStart(bytes, MEMORY_SECTION);
  if (own !== undefined) return bytes[own] === 1 ? own + 1 : undefined;
  const imported = sectionStart(bytes, IMPORT_SECTION);
  if (imported === undefined) return undefined;
  const name = imported + 2 + (bytes[imported + 1] ?? 0);
  const kind = name + 1 + (bytes[name] ?? 0);
  return bytes[kind] === MEMORY_IMPORT ? kind + 1 : undefined;
}

/**
 * A copy of a wasm module whose one memory is shared, or null when it is not declared as expected.
 *
 * Nothing else changes: the code does not know whether other threads see its memory.
 */
export function withSharedMemory(bytes: Uint8Array): Uint8Array | null {
  const place = limitsPlace(bytes);
  if (place === undefined || bytes[place] !== LIMITED) return null;
  const shared = bytes.slice();
  shared[place] = LIMITED_AND_SHARED;
  return shared;
}

/** The stock SIMD module with shared memory as a data URL; null when it cannot be shared. */
export function sharedModuleUrl(): string | null {
  const { resolve } = createRequire(import.meta.url);
  const path = resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm');
  const shared = withSharedMemory(new Uint8Array(readFileSync(path)));
  if (shared === null) return null;
  return `data:application/wasm;base64,${Buffer.from(shared).toString('base64')}`;
}
