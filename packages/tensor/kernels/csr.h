// What the kernels on sparse rows share.
#pragma once

#include "vector.h"

// The entries start .. end - 1 of a sparse matrix; values may be 0 for all ones.
typedef struct {
  int start, end;
  const int32_t *columns;
  const float *values;
} Entries;

INLINE float dot(const float *a, const float *b, int width) {
  f4 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
  int d = 0;
  for (; d + 16 <= width; d += 16) {
    s0 = madd4(load4(a + d), load4(b + d), s0);
    s1 = madd4(load4(a + d + 4), load4(b + d + 4), s1);
    s2 = madd4(load4(a + d + 8), load4(b + d + 8), s2);
    s3 = madd4(load4(a + d + 12), load4(b + d + 12), s3);
  }
  for (; d + 4 <= width; d += 4) s0 = madd4(load4(a + d), load4(b + d), s0);
  float sum = sum4((s0 + s1) + (s2 + s3));
  for (; d < width; d++) sum += a[d] * b[d];
  return sum;
}

// Four rows of a matrix.
typedef struct {
  const float *row[4];
} Rows;

INLINE Rows rows_of(const float *x, const int32_t *indices, int width) {
  return (Rows){{x + (size_t)indices[0] * width, x + (size_t)indices[1] * width,
                 x + (size_t)indices[2] * width, x + (size_t)indices[3] * width}};
}

// out[step * r] = row r . g for four rows.
INLINE void dots_4x1(const Rows *rows, const float *g, int width, float *out, int step) {
  f4 sum[4] = {0};
  int d = 0;
  for (; d + 4 <= width; d += 4) {
    const f4 v = load4(g + d);
    for (int r = 0; r < 4; r++) sum[r] = madd4(load4(rows->row[r] + d), v, sum[r]);
  }
  for (int r = 0; r < 4; r++) {
    float total = sum4(sum[r]);
    for (int t = d; t < width; t++) total += rows->row[r][t] * g[t];
    out[(size_t)r * step] = total;
  }
}

// to (+)= sum of values_e times row columns_e of x for COUNT entries. Their rows are far apart in
// memory: they are read side by side, each of them to its end.
#define ADD_ROWS(COUNT)                                                                            \
  NOINLINE static void add_rows##COUNT(const float *x, int width, const int32_t *columns,          \
                                       const float *values, int step, int adds, float *to) {       \
    const float *row[COUNT];                                                                       \
    f4 factor[COUNT];                                                                              \
    for (int r = 0; r < COUNT; r++) {                                                              \
      row[r] = x + (size_t)columns[r] * width;                                                     \
      factor[r] = splat4(values ? values[(size_t)r * step] : 1.0f);                                \
    }                                                                                              \
    int d = 0;                                                                                     \
    for (; d + 4 <= width; d += 4) {                                                               \
      f4 sum = adds ? load4(to + d) : splat4(0);                                                   \
      for (int r = 0; r < COUNT; r++) sum = madd4(factor[r], load4(row[r] + d), sum);              \
      store4(to + d, sum);                                                                         \
    }                                                                                              \
    for (; d < width; d++) {                                                                       \
      f4 sum = splat4(adds ? to[d] : 0);                                                           \
      for (int r = 0; r < COUNT; r++) sum = madd4(factor[r], splat4(row[r][d]), sum);              \
      to[d] = sum[0];                                                                              \
    }                                                                                              \
  }

ADD_ROWS(1)
ADD_ROWS(2)
ADD_ROWS(3)
ADD_ROWS(4)
ADD_ROWS(8)

// to_k = sum over the entries of values_ek x_(columns_e), entry after entry, for each of the heads;
// values 0 means all ones. The rows of a few entries stay in the cache from one head to the next.
INLINE void collect_rows(Entries e, const float *x, int width, int heads, float *to) {
  int i = e.start;
  if (i == e.end) __builtin_memset(to, 0, (size_t)heads * width * sizeof(float));
#define ADD(COUNT)                                                                                 \
  for (int k = 0; k < heads; k++)                                                                  \
  add_rows##COUNT(x, width, e.columns + i, e.values ? e.values + (size_t)i * heads + k : 0, heads, \
                  i > e.start, to + (size_t)k * width)
  for (; i + 8 <= e.end; i += 8) ADD(8);
  if (i + 4 <= e.end) {
    ADD(4);
    i += 4;
  }
  if (e.end - i == 3) ADD(3);
  if (e.end - i == 2) ADD(2);
  if (e.end - i == 1) ADD(1);
#undef ADD
}
