// exp of four floats within two units in the last place; NaN stays NaN.
#pragma once

#include "vector.h"

// exp of floats from -87.8 to 88; exactly 0 below -87.68.
INLINE f4 exp_bounded4(f4 x) {
  // x = n ln 2 + r, |r| <= ln 2 / 2; adding 1.5 * 2^23 rounds to a whole number.
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
  // 2^n as bits: the low bits of `shifted` are n. For n = -127 they are those of 0.
  return p * (f4)(((i4)shifted << 23) + (i4)splat4(1.0f));
}

// exp of floats below 88. Below -87.3 the result is that of -87.3, 1e-38, which vanishes beside any
// term that counts.
INLINE f4 exp4(f4 x) { return exp_bounded4(max4(x, splat4(-87.3f))); }

INLINE float exp1(float x) { return exp4(splat4(x))[0]; }
