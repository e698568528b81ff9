// What the kernels with a softmax inside share.
#pragma once

#include "exponential.h"
#include "logarithm.h"

// exp of floats below 88; exactly 0 below -87.68, at minus infinity too.
INLINE f4 exp_or_zero4(f4 x) { return exp_bounded4(max4(x, splat4(-87.8f))); }

INLINE float exp_or_zero1(float x) { return exp_or_zero4(splat4(x))[0]; }

INLINE float log1(float x) { return log4(splat4(x))[0]; }
