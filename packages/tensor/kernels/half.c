// Products of float rows with weights of 16 bits, which become floats only in scratch.
#include "half.h"
#include "matmul.h"

// Rows of weights, and stretch of columns, that are floats at one time: 200 kB of scratch.
#define STRIP 128
#define DEPTH LAB_GEMM_KC

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
