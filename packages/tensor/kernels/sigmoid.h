// 1 / (1 + e^-x), and log(1 + e^x), whose derivative it is.
#pragma once

#include "exponential.h"
#include "logarithm.h"

INLINE f4 sigmoid4(f4 x) {
  const f4 one = splat4(1.0f);
  const f4 e = exp4(-magnitude4(x));
  const f4 share = one / (one + e);
  return select4(x >= splat4(0.0f), share, e * share);
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|), log1p by Kahan's correction of the rounded 1 + e.
INLINE f4 softplus4(f4 x) {
  const f4 one = splat4(1.0f), zero = splat4(0.0f);
  const f4 e = exp4(-magnitude4(x)), u = one + e, rounded = u - one;
  const f4 tail = select4(rounded > zero, log_normal4(u) * e / rounded, e);
  return max4(x, zero) + tail;
}
