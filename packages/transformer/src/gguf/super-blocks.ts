/**
 * Blocks of 256 numbers with scales of their parts.
 *
 * Source: ggml, `ggml-common.h` and the reference functions of `ggml-quants.c`.
 */
import { halfValues } from './small-blocks.js';

const LENGTH = 256;
const Q2_BYTES = 84;
const Q3_BYTES = 110;
const Q4_BYTES = 144;
const Q5_BYTES = 176;
const Q6_BYTES = 210;

/** Twelve bytes hold eight scales and eight minima of 6 bits: those of part `at`. */
function scaleAndMinimum(bytes: Uint8Array, from: number, at: number): [number, number] {
  const low = bytes[from + at]!;
  const high = bytes[from + at + 4]!;
  if (at < 4) return [low & 63, high & 63];
  const first = bytes[from + at - 4]!;
  return [(high & 15) | ((first >> 6) << 4), (high >> 4) | ((low >> 6) << 4)];
}

/** `d s q - m n`: sixteen parts of 16 numbers q of 2 bits; scales s and minima n of 4 bits. */
export function decodeQ2K(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q2_BYTES, to += LENGTH) {
    const scale = half[bytes[from + 80]! | (bytes[from + 81]! << 8)]!;
    const least = half[bytes[from + 82]! | (bytes[from + 83]! << 8)]!;
    for (let part = 0; part < 16; part += 1) {
      const both = bytes[from + part]!;
      const [factor, offset] = [scale * (both & 15), least * (both >> 4)];
      const { begin, shift } = twoBits(from + 16, part);
      for (let at = 0; at < 16; at += 1) {
        numbers[to + part * 16 + at] = factor * ((bytes[begin + at]! >> shift) & 3) - offset;
      }
    }
  }
}

/** Where a part of 16 numbers of 2 bits is: each half of a block has four pairs of parts. */
const twoBits = (from: number, part: number) => ({
  begin: from + (part >> 3) * 32 + (part & 1) * 16,
  shift: ((part >> 1) & 3) * 2,
});

/**
 * `d (s - 32) q`: sixteen parts of 16 numbers q of 3 bits, from -4 to 3, whose third bits lie
 * before the others; scales s of 6 bits.
 */
export function decodeQ3K(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q3_BYTES, to += LENGTH) {
    const scale = half[bytes[from + 108]! | (bytes[from + 109]! << 8)]!;
    for (let part = 0; part < 16; part += 1) {
      const factor = scale * (sixBits(bytes, from + 96, part) - 32);
      const { begin, shift } = twoBits(from + 32, part);
      const [high, bit] = [from + (part & 1) * 16, part >> 1];
      for (let at = 0; at < 16; at += 1) {
        const third = (bytes[high + at]! >> bit) & 1;
        const low = (bytes[begin + at]! >> shift) & 3;
        numbers[to + part * 16 + at] = factor * (low + 4 * third - 4);
      }
    }
  }
}

/** Twelve bytes hold sixteen numbers of 6 bits: four of each in eight bytes, two in four. */
function sixBits(bytes: Uint8Array, from: number, at: number): number {
  const both = bytes[from + (at & 7)]!;
  const low = at < 8 ? both & 15 : both >> 4;
  return low | (((bytes[from + 8 + (at & 3)]! >> (2 * (at >> 2))) & 3) << 4);
}

/** `d s q - m n`: eight parts of 32 numbers q of 4 bits; scales s and minima n of 6 bits. */
export function decodeQ4K(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q4_BYTES, to += LENGTH) {
    const scale = half[bytes[from]! | (bytes[from + 1]! << 8)]!;
    const least = half[bytes[from + 2]! | (bytes[from + 3]! << 8)]!;
    for (let part = 0; part < 8; part += 1) {
      const [own, minimum] = scaleAndMinimum(bytes, from + 4, part);
      const [factor, offset] = [scale * own, least * minimum];
      const [begin, shift] = [from + 16 + (part >> 1) * 32, (part & 1) * 4];
      for (let at = 0; at < 32; at += 1) {
        numbers[to + part * 32 + at] = factor * ((bytes[begin + at]! >> shift) & 15) - offset;
      }
    }
  }
}

/** As {@link decodeQ4K} with a fifth bit of each number in bytes of their own. */
export function decodeQ5K(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q5_BYTES, to += LENGTH) {
    const scale = half[bytes[from]! | (bytes[from + 1]! << 8)]!;
    const least = half[bytes[from + 2]! | (bytes[from + 3]! << 8)]!;
    for (let part = 0; part < 8; part += 1) {
      const [own, minimum] = scaleAndMinimum(bytes, from + 4, part);
      const [factor, offset] = [scale * own, least * minimum];
      const [begin, shift] = [from + 48 + (part >> 1) * 32, (part & 1) * 4];
      for (let at = 0; at < 32; at += 1) {
        const low = (bytes[begin + at]! >> shift) & 15;
        const high = (bytes[from + 16 + at]! >> part) & 1;
        numbers[to + part * 32 + at] = factor * (low | (high << 4)) - offset;
      }
    }
  }
}

/** `d s (q - 32)`: sixteen parts of 16 numbers q of 6 bits; scales s of 8 bits, signed. */
export function decodeQ6K(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q6_BYTES, to += LENGTH) {
    const scale = half[bytes[from + 208]! | (bytes[from + 209]! << 8)]!;
    for (let part = 0; part < 16; part += 1) {
      const factor = scale * ((bytes[from + 192 + part]! << 24) >> 24);
      // Each half of the block has four quarters of 32 numbers, of two parts each.
      const [side, quarter, first] = [part >> 3, (part >> 1) & 3, (part & 1) * 16];
      const low = from + side * 64 + (quarter & 1) * 32 + first;
      const high = from + 128 + side * 32 + first;
      const [lowShift, highShift] = [(quarter >> 1) * 4, quarter * 2];
      for (let at = 0; at < 16; at += 1) {
        const four = (bytes[low + at]! >> lowShift) & 15;
        const two = (bytes[high + at]! >> highShift) & 3;
        numbers[to + part * 16 + at] = factor * ((four | (two << 4)) - 32);
      }
    }
  }
}
