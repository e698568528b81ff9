// Natural logarithm of four positive normal floats, within two units in the last place.
#pragma once

#include "vector.h"

INLINE f4 log_normal4(f4 x) {
  // x = 2^n m with m in [sqrt(1/2), sqrt(2)); log1p(m - 1) by a polynomial.
  const i4 bits = (i4)x;
  const i4 shifted = bits - 0x3f3504f3;
  const i4 n = shifted >> 23;
  const f4 t = (f4)(bits - (n << 23)) - splat4(1.0f);
  f4 p = splat4(7.0376836292e-2f);
  p = madd4(p, t, splat4(-1.1514610310e-1f));
  p = madd4(p, t, splat4(1.1676998740e-1f));
  p = madd4(p, t, splat4(-1.2420140846e-1f));
  p = madd4(p, t, splat4(1.4249322787e-1f));
  p = madd4(p, t, splat4(-1.6668057665e-1f));
  p = madd4(p, t, splat4(2.0000714765e-1f));
  p = madd4(p, t, splat4(-2.4999993993e-1f));
  p = madd4(p, t, splat4(3.3333331174e-1f));
  const f4 e = __builtin_convertvector(n, f4), square = t * t;
  f4 y = t * square * p;
  y = madd4(e, splat4(-2.12194440e-4f), y);
  y = madd4(square, splat4(-0.5f), y);
  return madd4(e, splat4(0.693359375f), t + y);
}

// Logarithm of any floats: -infinite at 0, NaN below, infinite at infinity; subnormals count as 0.
INLINE f4 log4(f4 x) {
  const f4 infinite = splat4(__builtin_inff());
  const f4 value = log_normal4(x);
  const f4 low = select4(x < splat4(0.0f), splat4(__builtin_nanf("")), -infinite);
  const f4 finite = select4(x < splat4(1.17549435e-38f), low, value);
  // Infinity and NaN are their own logarithm here.
  return select4(x < infinite, finite, x);
}
