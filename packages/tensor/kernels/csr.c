// Sparse (compressed rows) times dense, and its gradients.
#include "csr.h"

// Sum over the entries of a row of 4 * V columns, kept in registers.
#define SUM_TILE(NAME, V)                                                                          \
  INLINE void NAME(Entries e, const float *x, int width, float *out) {                             \
    f4 sum[V] = {0};                                                                               \
    for (int i = e.start; i < e.end; i++) {                                                        \
      const float *row = x + (size_t)e.columns[i] * width;                                         \
      const f4 weight = splat4(e.values ? e.values[i] : 1.0f);                                     \
      for (int q = 0; q < V; q++) {                                                                \
        sum[q] = madd4(weight, load4(row + 4 * q), sum[q]);                                        \
        __asm__ volatile("" ::: "memory");                                                         \
      }                                                                                            \
    }                                                                                              \
    for (int q = 0; q < V; q++) store4(out + 4 * q, sum[q]);                                       \
  }

SUM_TILE(sum_tile8, 8)
SUM_TILE(sum_tile1, 1)

INLINE void sum_scalar(Entries e, const float *x, int width, float *out) {
  float sum = 0;
  for (int i = e.start; i < e.end; i++)
    sum += (e.values ? e.values[i] : 1.0f) * x[(size_t)e.columns[i] * width];
  *out = sum;
}

// The last tile of 4 may overlap the one before: it writes the same numbers again.
NOINLINE static void sum_row(Entries e, const float *x, int width, float *out) {
  int d = 0;
  for (; d + 32 <= width; d += 32) sum_tile8(e, x + d, width, out + d);
  for (; d + 4 <= width; d += 4) sum_tile1(e, x + d, width, out + d);
  if (d < width && width >= 4) sum_tile1(e, x + width - 4, width, out + width - 4);
  else
    for (; d < width; d++) sum_scalar(e, x + d, width, out + d);
}

// out_i = sum over the entries e of row i of values_e x_(columns_e); values 0 means all ones.
EXPORT(csr_product)
void csr_product(int begin, int end, const float *scratch, int width, const int32_t *pointers,
                 const int32_t *columns, const float *values, const float *x, float *out) {
  (void)scratch;
  for (int i = begin; i < end; i++)
    sum_row((Entries){pointers[i], pointers[i + 1], columns, values}, x, width,
            out + (size_t)i * width);
}

// out_e = dy_(row of e) . x_(columns_e), the gradient of the values.
EXPORT(csr_sampled_dot)
void csr_sampled_dot(int begin, int end, const float *scratch, int width, const int32_t *pointers,
                     const int32_t *columns, const float *dy, const float *x, float *out) {
  (void)scratch;
  dy += (size_t)begin * width;
  for (int i = begin; i < end; i++, dy += width) {
    int e = pointers[i];
    for (; e + 4 <= pointers[i + 1]; e += 4) {
      const Rows four = rows_of(x, columns + e, width);
      dots_4x1(&four, dy, width, out + e, 1);
    }
    for (; e < pointers[i + 1]; e++) out[e] = dot(dy, x + (size_t)columns[e] * width, width);
  }
}

// out_i = sum over the entries of row i of the rows of x numbered by `positions`.
EXPORT(csr_sum_entries)
void csr_sum_entries(int begin, int end, const float *scratch, int width, const int32_t *pointers,
                     const int32_t *positions, const float *x, float *out) {
  (void)scratch;
  out += (size_t)begin * width;
  for (int i = begin; i < end; i++, out += width) {
    for (int k = 0; k < width; k++) out[k] = 0;
    for (int e = pointers[i]; e < pointers[i + 1]; e++)
      for (int k = 0; k < width; k++) out[k] += x[(size_t)positions[e] * width + k];
  }
}
