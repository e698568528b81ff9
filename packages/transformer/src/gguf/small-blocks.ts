/**
 * Blocks of 32 numbers that share a scale.
 *
 * Source: ggml, `ggml-common.h` and the reference functions of `ggml-quants.c`.
 */
import { encodeNumbers, numbersOfBytes } from '@lab/tensor/io';

/** Writes the numbers of whole blocks. */
export type BlockDecoder = (bytes: Uint8Array, numbers: Float32Array) => void;

let values: Float32Array | undefined;

/** Value of every pattern of float16. */
export function halfValues(): Float32Array {
  if (values !== undefined) return values;
  const patterns = Uint16Array.from({ length: 65_536 }, (_, pattern) => pattern);
  values = numbersOfBytes('float16', new Uint8Array(patterns.buffer)) as Float32Array;
  return values;
}

const LENGTH = 32;
const Q8_BYTES = 34;
const Q4_BYTES = 18;
const Q4_1_BYTES = 20;
const Q5_BYTES = 22;
const Q5_1_BYTES = 24;

/** `d q` with d in float16 and q of 8 bits, signed. */
export function decodeQ8_0(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q8_BYTES, to += LENGTH) {
    const scale = half[bytes[from]! | (bytes[from + 1]! << 8)]!;
    for (let at = 0; at < LENGTH; at += 1) {
      numbers[to + at] = scale * ((bytes[from + 2 + at]! << 24) >> 24);
    }
  }
}

/** `d (q - 8)` with d in float16 and q of 4 bits: low halves of the bytes, then high ones. */
export function decodeQ4_0(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q4_BYTES, to += LENGTH) {
    const scale = half[bytes[from]! | (bytes[from + 1]! << 8)]!;
    for (let at = 0; at < LENGTH / 2; at += 1) {
      const both = bytes[from + 2 + at]!;
      numbers[to + at] = scale * ((both & 15) - 8);
      numbers[to + LENGTH / 2 + at] = scale * ((both >> 4) - 8);
    }
  }
}

/** `d q + m` with d and m in float16 and q of 4 bits, in the order of {@link decodeQ4_0}. */
export function decodeQ4_1(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q4_1_BYTES, to += LENGTH) {
    const scale = half[bytes[from]! | (bytes[from + 1]! << 8)]!;
    const least = half[bytes[from + 2]! | (bytes[from + 3]! << 8)]!;
    for (let at = 0; at < LENGTH / 2; at += 1) {
      const both = bytes[from + 4 + at]!;
      numbers[to + at] = scale * (both & 15) + least;
      numbers[to + LENGTH / 2 + at] = scale * (both >> 4) + least;
    }
  }
}

/** `d (q - 16)` with d in float16 and q of 5 bits, whose fifth bits lie before the others. */
export function decodeQ5_0(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q5_BYTES, to += LENGTH) {
    const scale = half[bytes[from]! | (bytes[from + 1]! << 8)]!;
    for (let at = 0; at < LENGTH; at += 1) {
      numbers[to + at] = scale * (fiveBits(bytes, from + 2, at) - 16);
    }
  }
}

/** `d q + m` with d and m in float16 and q of 5 bits, as in {@link decodeQ5_0}. */
export function decodeQ5_1(bytes: Uint8Array, numbers: Float32Array): void {
  const half = halfValues();
  for (let from = 0, to = 0; to < numbers.length; from += Q5_1_BYTES, to += LENGTH) {
    const scale = half[bytes[from]! | (bytes[from + 1]! << 8)]!;
    const least = half[bytes[from + 2]! | (bytes[from + 3]! << 8)]!;
    for (let at = 0; at < LENGTH; at += 1) {
      numbers[to + at] = scale * fiveBits(bytes, from + 4, at) + least;
    }
  }
}

/** Number `at` of a block: four bytes with a bit of each number, then halves of bytes. */
function fiveBits(bytes: Uint8Array, from: number, at: number): number {
  const high = (bytes[from + (at >> 3)]! >> (at & 7)) & 1;
  const both = bytes[from + 4 + (at & 15)]!;
  return (at < LENGTH / 2 ? both & 15 : both >> 4) | (high << 4);
}

const f32 = Math.fround;

/**
 * Blocks of Q8_0: `d = max |x| / 127`, `q = round(x / d)`, halves away from zero, step by step in
 * float32 as the reference does.
 *
 * @param numbers - whole blocks of 32.
 */
export function encodeQ8_0(numbers: Float32Array): Uint8Array {
  const bytes = new Uint8Array((numbers.length / LENGTH) * Q8_BYTES);
  const scales = new Float32Array(numbers.length / LENGTH);
  for (let block = 0; block < scales.length; block += 1) {
    let most = 0;
    for (let at = 0; at < LENGTH; at += 1) {
      most = Math.max(most, Math.abs(numbers[block * LENGTH + at]!));
    }
    const scale = f32(most / 127);
    const inverse = scale === 0 ? 0 : f32(1 / scale);
    for (let at = 0; at < LENGTH; at += 1) {
      const scaled = f32(numbers[block * LENGTH + at]! * inverse);
      const whole = Math.trunc(scaled);
      const away = Math.abs(scaled - whole) >= 0.5 ? Math.sign(scaled) : 0;
      bytes[block * Q8_BYTES + 2 + at] = whole + away;
    }
    scales[block] = scale;
  }
  const halves = halvesOf(scales);
  for (let block = 0; block < scales.length; block += 1) {
    bytes[block * Q8_BYTES] = halves[2 * block]!;
    bytes[block * Q8_BYTES + 1] = halves[2 * block + 1]!;
  }
  return bytes;
}

/** The bytes of numbers in float16. */
function halvesOf(numbers: Float32Array): Uint8Array {
  const record = { dtype: 'float16', shape: [numbers.length], data: numbers } as const;
  return Buffer.concat([...encodeNumbers({ ...record, shape: [...record.shape] })]);
}
