// Products with at most four columns, where packed tiles of eight would mostly hold zeros.
#pragma once

#include "vector.h"

#define NARROW_COLUMNS 4

// Packs op(b) [k, n] as n rows of k floats.
INLINE void narrow_pack(int n, int k, const float *b, int ldb, int trans_b, float *packed) {
  for (int j = 0; j < n; j++)
    for (int p = 0; p < k; p++)
      packed[(size_t)j * k + p] = trans_b ? b[(size_t)j * ldb + p] : b[(size_t)p * ldb + j];
}

// Dot products of a row of a with the packed columns.
INLINE void narrow_row(int n, int k, const float *a, const float *packed, float *sums) {
  f4 s[NARROW_COLUMNS] = {0};
  int p = 0;
  for (; p + 4 <= k; p += 4) {
    const f4 x = load4(a + p);
    for (int j = 0; j < n; j++) s[j] = madd4(x, load4(packed + (size_t)j * k + p), s[j]);
  }
  for (int j = 0; j < n; j++) {
    sums[j] = sum4(s[j]);
    for (int q = p; q < k; q++) sums[j] += a[q] * packed[(size_t)j * k + q];
  }
}

// c[m, n] (+)= a[m, k] packed; a row by row.
#define NARROW_ROWS(N)                                                                             \
  NOINLINE static void narrow_rows##N(int m, int k, const float *a, int lda, const float *packed,  \
                                      float *c, int ldc, int accumulate) {                         \
    for (int i = 0; i < m; i++, a += lda, c += ldc) {                                              \
      float sums[N];                                                                               \
      narrow_row(N, k, a, packed, sums);                                                           \
      for (int j = 0; j < N; j++) c[j] = (accumulate ? c[j] : 0) + sums[j];                        \
    }                                                                                              \
  }

NARROW_ROWS(1)
NARROW_ROWS(2)
NARROW_ROWS(3)
NARROW_ROWS(4)

INLINE void narrow_rows(int m, int n, int k, const float *a, int lda, const float *packed,
                        float *c, int ldc, int accumulate) {
  if (n == 1) narrow_rows1(m, k, a, lda, packed, c, ldc, accumulate);
  if (n == 2) narrow_rows2(m, k, a, lda, packed, c, ldc, accumulate);
  if (n == 3) narrow_rows3(m, k, a, lda, packed, c, ldc, accumulate);
  if (n == 4) narrow_rows4(m, k, a, lda, packed, c, ldc, accumulate);
}

// to += sum over four rows of a of row * factor.
INLINE void narrow_add_rows(int m, const float *a, int lda, const float factor[4], float *to) {
  const f4 f0 = splat4(factor[0]), f1 = splat4(factor[1]);
  const f4 f2 = splat4(factor[2]), f3 = splat4(factor[3]);
  const float *r1 = a + lda, *r2 = r1 + lda, *r3 = r2 + lda;
  int i = 0;
  for (; i + 4 <= m; i += 4) {
    f4 sum = madd4(f0, load4(a + i), load4(to + i));
    sum = madd4(f1, load4(r1 + i), sum);
    sum = madd4(f2, load4(r2 + i), sum);
    store4(to + i, madd4(f3, load4(r3 + i), sum));
  }
  for (; i < m; i++)
    to[i] += a[i] * factor[0] + r1[i] * factor[1] + r2[i] * factor[2] + r3[i] * factor[3];
}

// sums[n][m] = transpose of a[k, m]^T op(b)[k, n].
NOINLINE static void narrow_columns(int m, int n, int k, const float *a, int lda, const float *b,
                                    int ldb, int trans_b, float *sums) {
  __builtin_memset(sums, 0, (size_t)m * n * sizeof(float));
  const size_t along = trans_b ? 1 : ldb, across = trans_b ? ldb : 1;
  int p = 0;
  for (; p + 4 <= k; p += 4)
    for (int j = 0; j < n; j++) {
      const float *s = b + p * along + j * across;
      const float factor[4] = {s[0], s[along], s[2 * along], s[3 * along]};
      narrow_add_rows(m, a + (size_t)p * lda, lda, factor, sums + (size_t)j * m);
    }
  for (; p < k; p++)
    for (int j = 0; j < n; j++)
      for (int i = 0; i < m; i++)
        sums[(size_t)j * m + i] += a[(size_t)p * lda + i] * b[p * along + j * across];
}
