// Numbers of 16 bits as floats.
#pragma once

#include "vector.h"

// Kinds of weights: IEEE 754 binary16, the same without Infinity and NaN, upper halves of floats;
// and floats themselves.
enum { FLOAT16, FINITE16, BFLOAT16, FLOAT32 };

typedef int16_t s8 __attribute__((vector_size(16)));
typedef int16_t s8_unaligned __attribute__((vector_size(16), aligned(2), may_alias));

INLINE i4 every4(int32_t bits) { return (i4){bits, bits, bits, bits}; }

// Float16 patterns in the upper halves: exponent and fraction move to their places, a product with
// 2^112 sets the exponent right, also that of subnormals; only Infinity and NaN need a mask.
INLINE f4 widen16(i4 upper, int is_finite) {
  const i4 places = (upper >> 3) & every4((int)0x8fffe000);
  const f4 value = (f4)places * splat4(5.192296858534828e33f);
  if (is_finite) return value;
  const i4 top = every4(0x0f800000);
  return (f4)((i4)value | (((places & top) == top) & every4(0x7f800000)));
}

// The same on four floats at a time, whatever the processor: also a NaN keeps its bits.
typedef struct {
  f4 low, high;
} Eight;

INLINE Eight widen8(const int16_t *p, int kind) {
  const s8 v = *(const s8_unaligned *)p, zero = {0};
  const i4 low = (i4)__builtin_shufflevector(zero, v, 0, 8, 1, 9, 2, 10, 3, 11);
  const i4 high = (i4)__builtin_shufflevector(zero, v, 4, 12, 5, 13, 6, 14, 7, 15);
  if (kind == BFLOAT16) return (Eight){(f4)low, (f4)high};
  return (Eight){widen16(low, kind == FINITE16), widen16(high, kind == FINITE16)};
}

INLINE float widen1(int16_t pattern, int kind) {
  const int32_t upper = (int32_t)((uint32_t)pattern << 16);
  const i4 p = {upper, upper, upper, upper};
  return kind == BFLOAT16 ? ((f4)p)[0] : widen16(p, kind == FINITE16)[0];
}

// Weights from place p on, as factors of a product.
#ifdef HAS_SIXTEEN
INLINE f16 weights16(const void *w, size_t p, int kind) {
  if (kind == FLOAT32) return load16((const float *)w + p);
  const int16_t *patterns = (const int16_t *)w + p;
  return kind == BFLOAT16 ? from_bfloat16(patterns) : from_half16(patterns);
}
#else
// Those of places that are a multiple of eight share a load with the four behind them.
INLINE f4 weights4(const void *w, size_t p, int kind) {
  if (kind == FLOAT32) return load4((const float *)w + p);
  const Eight both = widen8((const int16_t *)w + (p & ~(size_t)7), kind);
  return p & 4 ? both.high : both.low;
}
#endif

INLINE float weight1(const void *w, size_t p, int kind) {
  return kind == FLOAT32 ? ((const float *)w)[p] : widen1(((const int16_t *)w)[p], kind);
}
