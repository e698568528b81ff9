// GELU and SiLU in one pass, and their gradients.
#include "softmax.h"

INLINE f4 magnitude4(f4 x) { return (f4)((i4)x & 0x7fffffff); }

// Beyond this the functions are 0 on the left and x on the right, and their slopes are flat.
#define GELU_BOUND 14.0f

// Share of the normal distribution below x, and e^(-x^2 / 2).
typedef struct {
  f4 share, bell;
} Normal;

// The tail beyond |x| is e^(-x^2 / 2) q(t), t = 1 / (1 + 0.35 |x|), with q fitted to a relative
// error of 3e-8; so the left side keeps its digits.
INLINE Normal normal4(f4 x) {
  const f4 one = splat4(1.0f), a = magnitude4(x);
  const f4 t = one / madd4(splat4(0.35f), a, one);
  f4 q = splat4(-2.914593897e-2f);
  q = madd4(q, t, splat4(1.439717393e-1f));
  q = madd4(q, t, splat4(-2.557143388e-1f));
  q = madd4(q, t, splat4(1.591742555e-1f));
  q = madd4(q, t, splat4(-2.310990003e-2f));
  q = madd4(q, t, splat4(1.055080314e-1f));
  q = madd4(q, t, splat4(1.198328607e-1f));
  q = madd4(q, t, splat4(1.398618706e-1f));
  q = madd4(q, t, splat4(1.396214042e-1f));
  const f4 bell = exp_or_zero4(a * a * splat4(-0.5f));
  const f4 tail = bell * (q * t);
  return (Normal){select4(x < splat4(0.0f), tail, one - tail), bell};
}

// x share(x); the bound keeps minus infinity from giving NaN.
INLINE f4 gelu4(f4 x) { return max4(x, splat4(-GELU_BOUND)) * normal4(x).share; }

INLINE f4 gelu_bound4(f4 x) { return min4(max4(x, splat4(-GELU_BOUND)), splat4(GELU_BOUND)); }

// share + x bell / sqrt(2 pi).
INLINE f4 gelu_slope4(f4 x) {
  const Normal n = normal4(x);
  return madd4(gelu_bound4(x) * n.bell, splat4(0.39894228f), n.share);
}

// sigmoid(u), and its slope.
typedef struct {
  f4 value, slope;
} Sigmoid;

INLINE Sigmoid sigmoid_pair4(f4 u) {
  const f4 one = splat4(1.0f), e = exp_or_zero4(-magnitude4(u));
  const f4 share = one / (one + e), rest = e * share;
  return (Sigmoid){select4(u < splat4(0.0f), rest, share), rest * share};
}

// 0.5 (1 + tanh w) = sigmoid(2 w), w = sqrt(2 / pi) (x + 0.044715 x^3).
INLINE f4 gelu_tanh4(f4 x) {
  const f4 b = max4(x, splat4(-GELU_BOUND)), c = gelu_bound4(x);
  const f4 cubic = madd4(c * c, splat4(1.59576912f * 0.044715f), splat4(1.59576912f));
  return b * sigmoid_pair4(c * cubic).value;
}

INLINE f4 gelu_tanh_slope4(f4 x) {
  const f4 c = gelu_bound4(x), square = c * c;
  const f4 cubic = madd4(square, splat4(1.59576912f * 0.044715f), splat4(1.59576912f));
  const f4 inner = madd4(square, splat4(3 * 1.59576912f * 0.044715f), splat4(1.59576912f));
  const Sigmoid s = sigmoid_pair4(c * cubic);
  return madd4(c * s.slope, inner, s.value);
}

// Beyond 88 the sigmoid is 0 or 1.
INLINE f4 silu4(f4 x) { return max4(x, splat4(-88.0f)) * sigmoid_pair4(x).value; }

INLINE f4 silu_slope4(f4 x) {
  const f4 bound = splat4(88.0f);
  const Sigmoid s = sigmoid_pair4(x);
  return madd4(min4(max4(x, -bound), bound), s.slope, s.value);
}

#define ACTIVATION(NAME, FUNCTION)                                                                 \
  EXPORT(NAME) void NAME(int begin, int end, const float *scratch, const float *x, float *out) {   \
    (void)scratch;                                                                                 \
    int i = begin;                                                                                 \
    for (; i + 4 <= end; i += 4) store4(out + i, FUNCTION(load4(x + i)));                          \
    if (i < end) store_few(out + i, end - i, FUNCTION(load_few(x + i, end - i, 0)));               \
  }

ACTIVATION(gelu_values, gelu4)
ACTIVATION(gelu_tanh_values, gelu_tanh4)
ACTIVATION(silu_values, silu4)

// out = dy times the slope at x.
#define SLOPE(NAME, FUNCTION)                                                                      \
  EXPORT(NAME)                                                                                     \
  void NAME(int begin, int end, const float *scratch, const float *dy, const float *x,             \
            float *out) {                                                                          \
    (void)scratch;                                                                                 \
    int i = begin;                                                                                 \
    for (; i + 4 <= end; i += 4) store4(out + i, load4(dy + i) * FUNCTION(load4(x + i)));          \
    const int rest = end - i;                                                                      \
    if (rest > 0)                                                                                  \
      store_few(out + i, rest, load_few(dy + i, rest, 0) * FUNCTION(load_few(x + i, rest, 0)));    \
  }

SLOPE(gelu_gradient, gelu_slope4)
SLOPE(gelu_tanh_gradient, gelu_tanh_slope4)
SLOPE(silu_gradient, silu_slope4)
