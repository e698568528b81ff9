// The same steps for the processor that a compiler builds for: x86-64, AArch64, or any other.
#pragma once

#define EXPORT(name)

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// a * b + c, in one rounding where the processor has an instruction for it.
INLINE f4 madd4(f4 a, f4 b, f4 c) {
#if defined(__FMA__)
  return (f4)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c);
#elif defined(__ARM_NEON)
  return (f4)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

// As many floats as the processor takes at once; steps on them give each float the bits of the same
// step on four.
#if defined(__AVX512F__)
#define WIDE 16
#define WIDE_STEP(name) _mm512_##name##_ps
#elif defined(__AVX2__) && defined(__FMA__)
#define WIDE 8
#define WIDE_STEP(name) _mm256_##name##_ps
#endif

#ifdef WIDE
typedef float fw __attribute__((vector_size(4 * WIDE)));
typedef float fw_unaligned __attribute__((vector_size(4 * WIDE), aligned(4), may_alias));

INLINE fw loadw(const float *p) { return *(const fw_unaligned *)p; }
INLINE void storew(float *p, fw v) { *(fw_unaligned *)p = v; }
INLINE fw splatw(float x) { return (fw)WIDE_STEP(set1)(x); }
INLINE fw maddw(fw a, fw b, fw c) { return (fw)WIDE_STEP(fmadd)(a, b, c); }
INLINE fw sqrtw(fw a) { return (fw)WIDE_STEP(sqrt)(a); }
#endif

INLINE f4 choose4(i4 mask, f4 yes, f4 no) { return (f4)((mask & (i4)yes) | (~mask & (i4)no)); }

// The second operand where it is smaller, or larger; else, with NaN too, the first.
INLINE f4 min4(f4 a, f4 b) {
#if defined(__SSE2__)
  return (f4)_mm_min_ps((__m128)b, (__m128)a);
#else
  return choose4(b < a, b, a);
#endif
}

INLINE f4 max4(f4 a, f4 b) {
#if defined(__SSE2__)
  return (f4)_mm_max_ps((__m128)b, (__m128)a);
#else
  return choose4(a < b, b, a);
#endif
}

INLINE f4 sqrt4(f4 a) {
#if defined(__SSE2__)
  return (f4)_mm_sqrt_ps((__m128)a);
#elif defined(__ARM_NEON)
  return (f4)vsqrtq_f32((float32x4_t)a);
#else
  return (f4){__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]),
              __builtin_sqrtf(a[3])};
#endif
}

// Extremes as IEEE 754 has them: NaN where one is, and -0 below 0. Equal values differ at most in
// their signs: `and` leaves the sign that both have, `or` the one that any has.
INLINE f4 highest_of4(f4 a, f4 b) {
  const f4 equal = (f4)((i4)a & (i4)b);
  const f4 number = choose4(a == b, equal, choose4(a < b, b, a));
  return choose4((a == a) & (b == b), number, a + b);
}

INLINE f4 lowest_of4(f4 a, f4 b) {
  const f4 equal = (f4)((i4)a | (i4)b);
  const f4 number = choose4(a == b, equal, choose4(b < a, b, a));
  return choose4((a == a) & (b == b), number, a + b);
}

INLINE float highest_of1(float a, float b) {
  return highest_of4((f4){a, a, a, a}, (f4){b, b, b, b})[0];
}

INLINE float lowest_of1(float a, float b) {
  return lowest_of4((f4){a, a, a, a}, (f4){b, b, b, b})[0];
}

INLINE int all4(i4 mask) {
#if defined(__SSE2__)
  return _mm_movemask_ps((__m128)mask) == 15;
#else
  return mask[0] && mask[1] && mask[2] && mask[3];
#endif
}

INLINE int any4(i4 mask) {
#if defined(__SSE2__)
  return _mm_movemask_ps((__m128)mask) != 0;
#else
  return mask[0] || mask[1] || mask[2] || mask[3];
#endif
}
