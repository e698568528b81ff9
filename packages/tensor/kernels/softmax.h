// What the kernels with a softmax inside share.
#pragma once

#include "exponential.h"
#include "logarithm.h"

// exp of floats from -87.8 to 88; exactly 0 below -87.68. NaN stays NaN.
INLINE f4 exp_bounded4(f4 x) {
  // As exp4: x = n ln 2 + r. For n = -127 the bits of 2^n are those of 0.
  const f4 magic = splat4(12582912.0f), shifted = madd4(x, splat4(1.44269504f), magic);
  const f4 n = shifted - magic;
  f4 r = madd4(n, splat4(-0.693359375f), x);
  r = madd4(n, splat4(2.12194440e-4f), r);
  f4 p = splat4(1.3981999507e-3f);
  p = madd4(p, r, splat4(8.3334519073e-3f));
  p = madd4(p, r, splat4(4.1665795894e-2f));
  p = madd4(p, r, splat4(1.6666665459e-1f));
  p = madd4(p, r, splat4(5.0000001201e-1f));
  p = madd4(p, r * r, r + splat4(1.0f));
  return p * (f4)(((i4)shifted << 23) + (i4)splat4(1.0f));
}

// exp of floats below 88; exactly 0 below -87.68, at minus infinity too.
INLINE f4 exp_or_zero4(f4 x) { return exp_bounded4(max4(x, splat4(-87.8f))); }

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
