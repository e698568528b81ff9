/**
 * Random bits as a hash of seed and position: no state, so any part can be drawn alone.
 */

/** One round of a 32-bit integer mixer (multiply and xor-shift, a bijection). */
export function mixBits(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) | 0;
}

/** Bits at a position, an unsigned 32-bit number: two rounds, with the seed in between. */
export function bitsAt(position: number, key: number, seed32: number): number {
  return mixBits(mixBits(position ^ key) + seed32) >>> 0;
}
