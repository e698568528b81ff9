// Products of float rows with weights of 16 bits, which become floats only in scratch.
#include "matmul.h"

// Rows of weights, and stretch of columns, that are floats at one time: 200 kB of scratch.
#define STRIP 128
#define DEPTH LAB_GEMM_KC

// Up to this many rows of x, the product is made of dots with each row of weights.
#define FEW_ROWS 4

#define FLOAT16 0
#define FINITE16 1
#define BFLOAT16 2

typedef int16_t s8 __attribute__((vector_size(16)));
typedef int16_t s8_unaligned __attribute__((vector_size(16), aligned(2), may_alias));

typedef struct {
  f4 low, high;
} Eight;

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

INLINE void widen_row(int count, const int16_t *from, float *to, int kind) {
  int k = 0;
  for (; k + 8 <= count; k += 8) {
    const Eight v = widen8(from + k, kind);
    store4(to + k, v.low);
    store4(to + k + 4, v.high);
  }
  for (; k < count; k++) to[k] = widen1(from[k], kind);
}

// rows x count weights, rows `step` apart, as floats, rows `count` apart.
NOINLINE static void widen_block(int rows, int count, const int16_t *from, int step, float *to,
                                 int kind) {
  for (int i = 0; i < rows; i++, from += step, to += count) {
    if (kind == BFLOAT16) widen_row(count, from, to, BFLOAT16);
    else if (kind == FINITE16) widen_row(count, from, to, FINITE16);
    else widen_row(count, from, to, FLOAT16);
  }
}

// Dots of a row of weights with `rows` <= 4 rows of x, which lie k apart.
INLINE void dots(int rows, int k, const float *x, const int16_t *w, float *out, int kind) {
  f4 low[FEW_ROWS] = {0}, high[FEW_ROWS] = {0};
  int p = 0;
  for (; p + 8 <= k; p += 8) {
    const Eight v = widen8(w + p, kind);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      const float *line = x + (size_t)i * k + p;
      low[i] = madd4(v.low, load4(line), low[i]);
      high[i] = madd4(v.high, load4(line + 4), high[i]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) out[i] = sum4(low[i] + high[i]);
  for (; p < k; p++) {
    const float v = widen1(w[p], kind);
    for (int i = 0; i < rows; i++) out[i] += v * x[(size_t)i * k + p];
  }
}

// The dot with one row, in four sums: two alone would wait for their additions.
INLINE float dot(int k, const float *x, const int16_t *w, int kind) {
  f4 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
  int p = 0;
  for (; p + 16 <= k; p += 16) {
    const Eight a = widen8(w + p, kind), b = widen8(w + p + 8, kind);
    s0 = madd4(a.low, load4(x + p), s0);
    s1 = madd4(a.high, load4(x + p + 4), s1);
    s2 = madd4(b.low, load4(x + p + 8), s2);
    s3 = madd4(b.high, load4(x + p + 12), s3);
  }
  float sum = sum4((s0 + s1) + (s2 + s3));
  for (; p < k; p++) sum += widen1(w[p], kind) * x[p];
  return sum;
}

INLINE void dots_of_kind(int rows, int k, const float *x, const int16_t *w, float *out, int kind) {
  if (rows == 1) out[0] = dot(k, x, w, kind);
  else if (rows == 2) dots(2, k, x, w, out, kind);
  else if (rows == 3) dots(3, k, x, w, out, kind);
  else dots(4, k, x, w, out, kind);
}

NOINLINE static void dots_of_row(int rows, int k, const float *x, const int16_t *w, float *out,
                                 int kind) {
  if (kind == BFLOAT16) dots_of_kind(rows, k, x, w, out, BFLOAT16);
  else if (kind == FINITE16) dots_of_kind(rows, k, x, w, out, FINITE16);
  else dots_of_kind(rows, k, x, w, out, FLOAT16);
}

// out [m, n] = x [m, k] times the transpose of w [n, k], for m <= 4; an item is a row of w.
EXPORT(half_dots)
void half_dots(int begin, int end, float *scratch, const float *x, const int16_t *w, float *out,
               int m, int n, int k, int kind, const float *bias) {
  (void)scratch;
  float found[FEW_ROWS];
  for (int j = begin; j < end; j++) {
    dots_of_row(m, k, x, w + (size_t)j * k, found, kind);
    for (int i = 0; i < m; i++) out[(size_t)i * n + j] = found[i] + (bias ? bias[j] : 0);
  }
}

// out [m, n] = x [m, k] times the transpose of w [n, k]; an item is a strip of 128 rows of w.
EXPORT(half_product)
void half_product(int begin, int end, float *scratch, const float *x, const int16_t *w, float *out,
                  int m, int n, int k, int kind, const float *bias) {
  float *floats = scratch + LAB_GEMM_SCRATCH;
  for (int item = begin; item < end; item++) {
    const int j = item * STRIP, columns = n - j < STRIP ? n - j : STRIP;
    for (int i = 0; i < m; i++)
      for (int c = 0; c < columns; c++) out[(size_t)i * n + j + c] = bias ? bias[j + c] : 0;
    for (int p = 0; p < k; p += DEPTH) {
      const int kc = k - p < DEPTH ? k - p : DEPTH;
      widen_block(columns, kc, w + (size_t)j * k + p, k, floats, kind);
      lab_gemm(m, columns, kc, x + p, k, 0, floats, kc, 1, out + j, n, 1, scratch);
    }
  }
}

// dx [m, k] = dy [m, n] w [n, k]; an item is a strip of 128 columns of w.
EXPORT(half_product_backward)
void half_product_backward(int begin, int end, float *scratch, const float *dy, const int16_t *w,
                           float *dx, int m, int n, int k, int kind) {
  float *floats = scratch + LAB_GEMM_SCRATCH;
  for (int item = begin; item < end; item++) {
    const int p = item * STRIP, columns = k - p < STRIP ? k - p : STRIP;
    for (int i = 0; i < m; i++)
      __builtin_memset(dx + (size_t)i * k + p, 0, (size_t)columns * sizeof(float));
    for (int j = 0; j < n; j += DEPTH) {
      const int rows = n - j < DEPTH ? n - j : DEPTH;
      widen_block(rows, columns, w + (size_t)j * k + p, k, floats, kind);
      lab_gemm(m, columns, rows, dy + j, n, 0, floats, columns, 0, dx + p, k, 1, scratch);
    }
  }
}

// out[i] = row indices[i] of w [., k] as floats.
EXPORT(half_rows)
void half_rows(int begin, int end, float *scratch, const int16_t *w, int k, int kind,
               const int32_t *indices, float *out) {
  (void)scratch;
  for (int i = begin; i < end; i++)
    widen_block(1, k, w + (size_t)indices[i] * k, k, out + (size_t)i * k, kind);
}

// Bytes of scratch of the products with strips.
EXPORT(half_scratch_bytes) int half_scratch_bytes(void) {
  return (LAB_GEMM_SCRATCH + STRIP * DEPTH) * 4;
}
