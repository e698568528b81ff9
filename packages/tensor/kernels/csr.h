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
