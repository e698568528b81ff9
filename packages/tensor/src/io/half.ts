const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

let halfTable: Float32Array | undefined;

/** Float32 values of IEEE 754 binary16 patterns; exact. */
export function float16ToFloat32(half: Uint16Array): Float32Array {
  halfTable ??= Float32Array.from({ length: 65_536 }, (_, pattern) => halfValue(pattern));
  const out = new Float32Array(half.length);
  for (let i = 0; i < half.length; i += 1) out[i] = halfTable[half[i]!]!;
  return out;
}

/** IEEE 754 binary16 patterns of float32 values, rounded to nearest, ties to even. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i += 1) out[i] = halfPattern(values[i]!);
  return out;
}

/** Float32 values of bfloat16 patterns (the upper half of a float32); exact. */
export function bfloat16ToFloat32(brain: Uint16Array): Float32Array {
  const out = new Uint32Array(brain.length);
  for (let i = 0; i < brain.length; i += 1) out[i] = brain[i]! << 16;
  return new Float32Array(out.buffer);
}

/** Bfloat16 patterns of float32 values, rounded to nearest, ties to even; NaN stays NaN. */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    value[0] = values[i]!;
    const pattern = bits[0]!;
    const isNaN = (pattern & 0x7fffffff) > 0x7f800000;
    const rounded = pattern + 0x7fff + ((pattern >>> 16) & 1);
    out[i] = isNaN ? (pattern >>> 16) | 0x40 : rounded >>> 16;
  }
  return out;
}

function halfValue(pattern: number): number {
  const sign = pattern & 0x8000 ? -1 : 1;
  const exponent = (pattern >> 10) & 31;
  const fraction = pattern & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function halfPattern(number: number): number {
  value[0] = number;
  const pattern = bits[0]!;
  const sign = (pattern >>> 16) & 0x8000;
  const magnitude = pattern & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 the spacing is 2^-24 throughout: scaling by 2^24 rounds as an integer.
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(value[0]!) * 2 ** 24);
  const rebased = magnitude - 0x38000000;
  return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
}

function roundHalfEven(number: number): number {
  const floor = Math.floor(number);
  const rest = number - floor;
  if (rest !== 0.5) return rest > 0.5 ? floor + 1 : floor;
  return floor % 2 === 0 ? floor : floor + 1;
}
