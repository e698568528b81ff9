// The vector type of all kernels: four floats, loaded and stored at any 4-byte address.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef float f4 __attribute__((vector_size(16)));
typedef float f4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t i4 __attribute__((vector_size(16)));
typedef uint32_t u4 __attribute__((vector_size(16)));
typedef int32_t i4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
// Keeps a hot loop in a small function, which the engine optimises soon and well.
#define NOINLINE __attribute__((noinline))

#ifdef __wasm__
#include "vector-wasm.h"
#else
#include "vector-native.h"
#endif

INLINE f4 load4(const float *p) { return *(const f4_unaligned *)p; }
INLINE void store4(float *p, f4 v) { *(f4_unaligned *)p = v; }
INLINE f4 splat4(float x) { return (f4){x, x, x, x}; }

#ifndef WIDE
#define WIDE 4
typedef f4 fw;
INLINE fw loadw(const float *p) { return load4(p); }
INLINE void storew(float *p, fw v) { store4(p, v); }
INLINE fw splatw(float x) { return splat4(x); }
INLINE fw maddw(fw a, fw b, fw c) { return madd4(a, b, c); }
INLINE fw sqrtw(fw a) { return sqrt4(a); }
#endif

INLINE float sum4(f4 v) { return (v[0] + v[1]) + (v[2] + v[3]); }

// Sixteen floats: one register, or as many as the processor needs for them.
#ifndef HAS_SIXTEEN
typedef struct {
  f4 part[4];
} f16;

INLINE f16 load16(const float *p) {
  return (f16){{load4(p), load4(p + 4), load4(p + 8), load4(p + 12)}};
}
INLINE f16 madd16(f16 a, f16 b, f16 c) {
  return (f16){{madd4(a.part[0], b.part[0], c.part[0]), madd4(a.part[1], b.part[1], c.part[1]),
                madd4(a.part[2], b.part[2], c.part[2]), madd4(a.part[3], b.part[3], c.part[3])}};
}
INLINE float sum16(f16 v) {
  return sum4((v.part[0] + v.part[1]) + (v.part[2] + v.part[3]));
}
#endif

INLINE f4 select4(i4 mask, f4 yes, f4 no) { return (f4)((mask & (i4)yes) | (~mask & (i4)no)); }

INLINE float sqrt1(float x) { return __builtin_sqrtf(x); }
INLINE float max1(float a, float b) { return a > b ? a : b; }
INLINE float min1(float a, float b) { return a < b ? a : b; }

INLINE f4 magnitude4(f4 x) { return (f4)((i4)x & 0x7fffffff); }
INLINE float highest4(f4 v) { return max1(max1(v[0], v[1]), max1(v[2], v[3])); }

// The `count` < 4 values from p, filled up.
INLINE f4 load_part(const float *p, int count, float fill) {
  f4 v = splat4(fill);
  for (int i = 0; i < count; i++) v[i] = p[i];
  return v;
}

INLINE void store_part(float *p, int count, f4 v) {
  for (int i = 0; i < count; i++) p[i] = v[i];
}
