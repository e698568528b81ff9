// What the kernels with a softmax inside share.
#pragma once

#include "exponential.h"
#include "logarithm.h"

// exp of floats below 88; exactly 0 below -87.3, at minus infinity too.
INLINE f4 exp_or_zero4(f4 x) { return (f4)((i4)exp4(x) & ~(i4)(x < splat4(-87.3f))); }

INLINE float exp_or_zero1(float x) { return exp_or_zero4(splat4(x))[0]; }

INLINE float log1(float x) { return log4(splat4(x))[0]; }

INLINE float highest4(f4 v) { return max1(max1(v[0], v[1]), max1(v[2], v[3])); }

// The `count` < 4 values from p, filled up.
INLINE f4 load_few(const float *p, int count, float fill) {
  f4 v = splat4(fill);
  for (int i = 0; i < count; i++) v[i] = p[i];
  return v;
}

INLINE void store_few(float *p, int count, f4 v) {
  for (int i = 0; i < count; i++) p[i] = v[i];
}
