// exp of four floats, about 1 unit in the last place; 0 below -87.3, infinite from 88.8, NaN kept.
#pragma once

#include "vector.h"

INLINE f4 exp4(f4 x) {
  const f4 low = splat4(-87.3f), high = splat4(88.8f);
  const i4 vanishes = x <= low, overflows = x >= high;
  // x = n ln 2 + r, |r| <= ln 2 / 2; adding 1.5 * 2^23 rounds to a whole number.
  const f4 magic = splat4(12582912.0f);
  const f4 bounded = min4(max4(x, low), high);
  const f4 shifted = madd4(bounded, splat4(1.44269504f), magic);
  const f4 n = shifted - magic;
  f4 r = madd4(n, splat4(-0.693359375f), bounded);
  r = madd4(n, splat4(2.12194440e-4f), r);
  f4 p = splat4(1.9875691500e-4f);
  p = madd4(p, r, splat4(1.3981999507e-3f));
  p = madd4(p, r, splat4(8.3334519073e-3f));
  p = madd4(p, r, splat4(4.1665795894e-2f));
  p = madd4(p, r, splat4(1.6666665459e-1f));
  p = madd4(p, r, splat4(5.0000001201e-1f));
  p = madd4(p, r * r, r + splat4(1.0f));
  // 2^n in two factors, as n may be 128.
  const i4 whole = (i4)shifted - (i4)magic;
  const i4 half = whole >> 1;
  const f4 scale = (f4)((half + 127) << 23), rest = (f4)((whole - half + 127) << 23);
  const f4 value = p * scale * rest;
  const f4 finite = select4(vanishes, splat4(0.0f), value);
  return select4(overflows, splat4(__builtin_inff()), finite);
}
