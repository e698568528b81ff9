// The same steps for the processor that a compiler builds for: x86-64, AArch64, or any other.
#pragma once

#define EXPORT(name)
#define UNROLL _Pragma("GCC unroll 8")

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

// Sixteen floats; from upper halves of floats, and from IEEE 754 binary16.
#if defined(__AVX512F__)
#define HAS_SIXTEEN
typedef struct {
  __m512 all;
} f16;

INLINE f16 load16(const float *p) { return (f16){_mm512_loadu_ps(p)}; }
INLINE f16 madd16(f16 a, f16 b, f16 c) { return (f16){_mm512_fmadd_ps(a.all, b.all, c.all)}; }
INLINE f4 quarter(f16 v, int part) {
  const fw all = (fw)v.all;
  return (f4){all[4 * part], all[4 * part + 1], all[4 * part + 2], all[4 * part + 3]};
}
INLINE f16 from_bfloat16(const int16_t *p) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
  return (f16){(__m512)_mm512_slli_epi32(wide, 16)};
}
INLINE f16 from_half16(const int16_t *p) {
  return (f16){_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p))};
}
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define HAS_SIXTEEN
typedef struct {
  __m256 low, high;
} f16;

INLINE f16 load16(const float *p) { return (f16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INLINE f16 madd16(f16 a, f16 b, f16 c) {
  return (f16){_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
INLINE f4 quarter(f16 v, int part) {
  const fw half = (fw)(part < 2 ? v.low : v.high);
  const int at = 4 * (part & 1);
  return (f4){half[at], half[at + 1], half[at + 2], half[at + 3]};
}
INLINE __m256 from_bfloat8(const int16_t *p) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
  return (__m256)_mm256_slli_epi32(wide, 16);
}
INLINE f16 from_bfloat16(const int16_t *p) { return (f16){from_bfloat8(p), from_bfloat8(p + 8)}; }
INLINE f16 from_half16(const int16_t *p) {
  return (f16){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)),
               _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 8)))};
}
#endif

#ifdef HAS_SIXTEEN
INLINE float sum16(f16 v) {
  const f4 sum = (quarter(v, 0) + quarter(v, 1)) + (quarter(v, 2) + quarter(v, 3));
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}
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
