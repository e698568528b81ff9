// @ts-check
// Has the engine optimise the tile of products, for 256-bit vectors where it is told to. The flags
// hold for the whole process: they stand for some milliseconds, and change no code's results.
import { setFlagsFromString } from 'node:v8';

/** Steps of one call, and calls: three times what the engine waits for before it optimises. */
const STEPS = 384;
const CALLS = 200;

/** Bytes from the given address on that {@link optimiseTile} reads and writes. */
export const TILE_BYTES = 4 * (STEPS * (6 + 8) + 6 * 8);

/**
 * The module by another name: of equal bytes the engine keeps one code, optimised or not.
 *
 * @param {Uint8Array} bytes
 */
export function named(bytes) {
  return Uint8Array.of(...bytes, 0, 2, 1, 'w'.charCodeAt(0)); // a custom section called "w"
}

/**
 * Calls the tile until the engine has optimised it, at once and on this thread.
 *
 * @param {(...values: number[]) => void} tile
 * @param {number} address - of a region of TILE_BYTES
 * @param {boolean} isWide - whether pairs of 128-bit operations become one of 256 bits
 */
export function optimiseTile(tile, address, isWide) {
  const flags = ['wasm-sync-tier-up', ...(isWide ? ['experimental-wasm-revectorize'] : [])];
  const [b, c] = [address + 4 * STEPS * 6, address + 4 * STEPS * (6 + 8)];
  for (const flag of flags) setFlagsFromString(`--${flag}`);
  try {
    for (let call = 0; call < CALLS; call += 1) tile(STEPS, address, b, c, 8, 0);
  } finally {
    for (const flag of [...flags, ...(isWide ? ['experimental'] : [])]) {
      setFlagsFromString(`--no-${flag}`);
    }
  }
}
